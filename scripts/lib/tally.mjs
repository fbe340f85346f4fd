import { appendFileSync } from 'node:fs'

/**
 * Returns a vitest reporter that appends one JSON line, the counts and the failures of the run, to the file named by IVCAP_TALLY.
 * closing-line.mjs sums up several runs from this file.
 *
 * @type {() => import('vitest/reporters').Reporter}
 */
export const tally = () => ({
  onTestRunEnd(modules, unhandled) {
    const counts = { passed: 0, skipped: 0 }
    /** @type {string[]} */
    const failures = unhandled.map((error) => told('outside of a test', [error]))
    for (const module of modules) {
      const { relativeModuleId: path } = module
      // A file that could not be loaded has errors and no tests: it counts as one failure.
      if (module.errors().length > 0) failures.push(told(path, module.errors()))
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result()
        if (state === 'passed' || state === 'skipped') counts[state] += 1
        // A test that is still pending when the run ends was cut off.
        else failures.push(told(`${path} > ${test.fullName}`, errors))
      }
    }
    const file = process.env['IVCAP_TALLY']
    if (file) appendFileSync(file, `${JSON.stringify({ ...counts, failures })}\n`)
  },
})

/**
 * @param {string} where
 * @param {readonly { message?: unknown }[]} errors Anything can be thrown: not all have a message
 */
const told = (where, errors) => [where, ...errors.map((error) => `  ${messageOf(error)}`)].join('\n')

/** @param {{ message?: unknown }} error */
const messageOf = ({ message = 'something without a message was thrown' }) =>
  String(message).slice(0, LONGEST).replaceAll('\n', '\n  ')

/** Characters of an error's message that the closing lines show. */
const LONGEST = 2000
