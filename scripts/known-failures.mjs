// npm run known-failures: writes docs/known-failures.md, which lists the tests of each known failure of clients of this kind.
// With --check, it writes nothing and fails if the page is out of date.
// The comment before a test assigns it to rows: `// known failure: row-id, other-row-id`.
import { readFileSync, writeFileSync } from 'node:fs'
import { helpFor } from './lib/help.mjs'
import { pageOf } from './lib/known-failures/page.mjs'
import { taggedTests } from './lib/known-failures/tests.mjs'

helpFor(import.meta.url)

const root = new URL('../', import.meta.url)
const page = new URL('docs/known-failures.md', root)

/** @type {readonly { readonly group: string, readonly rows: Readonly<Record<string, string>> }[]} */
const groups = JSON.parse(readFileSync(new URL('docs/known-failures.json', root), 'utf8'))
const ids = new Set(groups.flatMap(({ rows }) => Object.keys(rows)))
const { tests, problems } = taggedTests(root)
const tested = new Set(tests.flatMap((test) => test.ids))

const wrong = [
  ...problems,
  ...tests.flatMap((test) =>
    test.ids
      .filter((id) => !ids.has(id))
      .map((id) => `${test.file}: ${id} is no row of docs/known-failures.json`),
  ),
  ...[...ids].filter((id) => !tested.has(id)).map((id) => `${id} has no test`),
]
const text = pageOf(groups, tests)
if (wrong.length === 0 && !process.argv.includes('--check')) writeFileSync(page, text)
else if (wrong.length === 0 && readFileSync(page, 'utf8') !== text) {
  wrong.push('docs/known-failures.md is out of date: npm run known-failures')
}
for (const problem of wrong) console.error(problem)
process.exit(wrong.length === 0 ? 0 : 1)
