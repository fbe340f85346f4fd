import { appendFileSync } from 'node:fs'

/**
 * A vitest reporter: appends one JSON line of counts to the file named by IVCAP_TALLY, so that several runs can be summed up
 * in one closing line.
 *
 * @type {() => import('vitest/reporters').Reporter}
 */
export const tally = () => ({
  onTestRunEnd(modules, unhandled) {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      // A file that could not be loaded has errors and no tests: it counts as one failure.
      if (module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test that is still pending when the run ends was cut off.
        counts[state === 'pending' ? 'failed' : state] += 1
      }
    }
    const file = process.env['IVCAP_TALLY']
    if (file) appendFileSync(file, `${JSON.stringify(counts)}\n`)
  },
})
