import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Snippet {
  /** Where it is, e.g. `README.md:29`. */
  readonly name: string
  readonly code: string
  /** Fenced as `ts run`: it is complete, and can be run. */
  readonly runs: boolean
}

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** All TypeScript in the pages of this repository. */
export function snippets(): Snippet[] {
  return pages().flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    return [...text.matchAll(/^```ts( run)?\n([\s\S]*?)^```$/gm)].map(({ index, 1: runs, 2: code = '' }) => ({
      name: `${page}:${text.slice(0, index).split('\n').length}`,
      code,
      runs: runs !== undefined,
    }))
  })
}

function pages(): string[] {
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md'))
  return ['README.md', 'CONTRIBUTING.md', 'docs/finding.md', ...packages].filter((page) =>
    existsSync(join(root, page)),
  )
}
