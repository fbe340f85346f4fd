// The code in our pages is true: it compiles against the packages, and what is complete runs.
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { examples, runScript } from './support/run-script.js'
import { snippets } from './support/snippets.js'
import { typeErrors } from './support/type-errors.js'

const all = snippets()

test('there is code in the pages', () => {
  expect(all.filter((snippet) => snippet.runs).length).toBeGreaterThan(5)
})

test('the code in the pages compiles', { timeout: 60_000 }, () => {
  expect(typeErrors(all)).toEqual([])
})

describe('the code in the pages runs', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ivcap-pages-'))
    // a project of somebody's own, with the packages installed
    await symlink(join(examples, 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await copyFile(join(examples, 'data', 'reef-quadrat.png'), join(folder, 'reef.png'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  for (const { name, code } of all.filter((snippet) => snippet.runs)) {
    test.concurrent(name, { timeout: 60_000 }, async () => {
      const file = join(folder, `${name.replace(/[^\w.]/g, '-')}.ts`)
      await writeFile(file, code)
      const outcome = await runScript(file, { cwd: folder })
      expect(outcome.stderr).toBe('')
      expect(outcome.code).toBe(0)
      expect(outcome.stdout).not.toBe('')
    })
  }
})
