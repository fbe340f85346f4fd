// closing-line.mjs FILE: sums up several test runs. FILE has one JSON line per run. Prints the failures, then the counts. Fails if
// a test failed or none passed.

import { readFileSync } from 'node:fs'
import { helpFor } from './lib/help.mjs'

helpFor(import.meta.url)

const [file = ''] = process.argv.slice(2)
const runs = readFileSync(file, 'utf8').split('\n').filter(Boolean)

const sum = { passed: 0, failed: 0, skipped: 0 }
for (const { passed, failures, skipped } of runs.map((line) => JSON.parse(line))) {
  for (const failure of failures) console.log(`failed: ${failure}`)
  sum.passed += passed
  sum.failed += failures.length
  sum.skipped += skipped
}

console.log(
  `tests: ${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`,
)
process.exit(sum.passed > 0 && sum.failed === 0 ? 0 : 1)
