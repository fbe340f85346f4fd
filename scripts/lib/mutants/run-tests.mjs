import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {object} TestRun
 * @property {'passed' | 'failed' | 'timed-out' | 'stopped'} outcome
 * @property {string} by the first test that failed, or how the run broke off; empty if none did
 * @property {ReadonlyMap<string, number>} durations seconds of each test file that ended
 */

/**
 * Runs test files in a copy of the checkout, in the order given, up to the first failure.
 *
 * @param {string} dir the copy
 * @param {readonly string[]} tests
 * @param {{ limit: number, signal: AbortSignal }} o limit: seconds
 * @returns {Promise<TestRun>}
 */
export async function runTests(dir, tests, { limit, signal }) {
  const report = join(dir, '.cache', 'report.json')
  rmSync(report, { force: true })
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/lib/mutants/vitest.config.ts']
  const child = spawn(process.execPath, args, {
    cwd: dir,
    // Its own process group, so that the processes of tests are killed with it.
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, MUTANT_TESTS: JSON.stringify(tests), MUTANT_REPORT: report },
  })
  /** @type {'timed-out' | 'stopped' | undefined} */
  let ended
  /** @param {'timed-out' | 'stopped'} how */
  const end = (how) => {
    ended ??= how
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // The process has already ended.
    }
  }
  const timer = setTimeout(() => end('timed-out'), limit * 1000)
  const stop = () => end('stopped')
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code))
  })
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  if (ended) return { outcome: ended, by: '', durations: new Map() }
  const { durations, failure } = read(report, dir)
  if (code === 0) return { outcome: 'passed', by: '', durations }
  return { outcome: 'failed', by: failure ?? `the run ended with ${code} outside of a test`, durations }
}

/** @param {string} report @param {string} dir @returns {{ durations: Map<string, number>, failure?: string }} */
function read(report, dir) {
  /** @type {Map<string, number>} */
  const durations = new Map()
  /** @type {Report} */
  let content
  try {
    content = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { durations }
  }
  /** @type {string | undefined} */
  let failure
  for (const { name, startTime, endTime, status, message, assertionResults } of content.testResults) {
    const file = name.startsWith(`${dir}/`) ? name.slice(dir.length + 1) : name
    durations.set(file, (endTime - startTime) / 1000)
    if (status !== 'failed') continue
    const test = assertionResults.find((result) => result.status === 'failed')
    failure ??= `${file}: ${test?.fullName ?? message.slice(0, 200)}`
  }
  return failure === undefined ? { durations } : { durations, failure }
}

/**
 * @typedef {{ testResults: readonly {
 *   name: string, startTime: number, endTime: number, status: string, message: string,
 *   assertionResults: readonly { fullName: string, status: string }[],
 * }[] }} Report
 */
