import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const folder = join(root, '.changeset')
const published = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent)).flatMap((name) => {
    const manifest = JSON.parse(readFileSync(join(root, parent, name, 'package.json'), 'utf8'))
    return manifest.private === true ? [] : [manifest.name]
  }),
)

// a formatter that takes the front matter for a heading, or a package that is not published, makes a release fail
test.each(readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md'))(
  '%s names published packages and their bumps, and says what changed',
  (name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    const [, front = ''] =
      /^---\n((?:'@ivcap\/[a-z0-9-]+': (?:major|minor|patch)\n)+)---\n\n\S/.exec(text) ?? []
    const names = [...front.matchAll(/'([^']+)'/g)].map(([, found]) => found)
    expect(names.length).toBeGreaterThan(0)
    for (const found of names) expect(published).toContain(found)
  },
)
