// closing-line.mjs FILE: sums up several test runs, one JSON line each: what failed, then the counts. Fails if no test ran or
// one failed.

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
