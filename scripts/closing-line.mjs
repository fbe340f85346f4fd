// closing-line.mjs FILE: sums up the counts of several test runs, one JSON line each. Fails if no test ran or one failed.
import { readFileSync } from 'node:fs'

const [file = ''] = process.argv.slice(2)
const runs = readFileSync(file, 'utf8').split('\n').filter(Boolean)

const sum = { passed: 0, failed: 0, skipped: 0 }
for (const { passed, failed, skipped } of runs.map((line) => JSON.parse(line))) {
  sum.passed += passed
  sum.failed += failed
  sum.skipped += skipped
}

console.log(
  `tests: ${sum.passed} passed, ${sum.failed} failed${sum.skipped ? `, ${sum.skipped} skipped` : ''}`,
)
process.exit(sum.passed > 0 && sum.failed === 0 ? 0 : 1)
