import { appendFileSync } from 'node:fs'

/**
 * A vitest reporter: appends one JSON line to the file named by IVCAP_TALLY, the counts of the run and its failures, so that
 * several runs can be summed up in the closing lines.
 *
 * @type {() => import('vitest/reporters').Reporter}
 */
export const tally = () => ({
  onTestRunEnd(modules, unhandled) {
    const counts = { passed: 0, skipped: 0 }
    /** @type {string[]} */
    const failures = unhandled.map((error) => told('outside of a test', [error]))
    for (const module of modules) {
      const file = module.relativeModuleId
      // A file that could not be loaded has errors and no tests: it counts as one failure.
      if (module.errors().length > 0) failures.push(told(file, module.errors()))
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result()
        if (state === 'passed' || state === 'skipped') counts[state] += 1
        // A test that is still pending when the run ends was cut off.
        else failures.push(told(`${file} > ${test.fullName}`, errors))
      }
    }
    const file = process.env['IVCAP_TALLY']
    if (file) appendFileSync(file, `${JSON.stringify({ ...counts, failures })}\n`)
  },
})

/**
 * @param {string} where
 * @param {readonly { message: string }[]} errors
 */
const told = (where, errors) =>
  [where, ...errors.map(({ message }) => `  ${message.slice(0, LONGEST).replaceAll('\n', '\n  ')}`)].join(
    '\n',
  )

/** Characters of an error's message that the closing lines show. */
const LONGEST = 2000
