// npm run size: measures the size and the import time of the packages. Needs a build; fails if a limit is exceeded.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { browserBytes } from './lib/bundle.mjs'
import { helpFor } from './lib/help.mjs'
import { root } from './lib/run.mjs'

helpFor(import.meta.url)

const limits = { coreKB: 26, platformKB: 70, importMs: 60 }
const runs = 15

let failed = false

/** @param {string} what @param {number} value @param {number} limit @param {string} unit @param {string} [note] */
function report(what, value, limit, unit, note = '') {
  const tooMuch = value > limit
  failed ||= tooMuch
  console.log(`${tooMuch ? '✗' : '✓'} ${what}: ${value.toFixed(1)} ${unit} (limit ${limit} ${unit})${note}`)
}

/** Returns the milliseconds that a new Node process takes from start to end. @param {string} source @param {string} cwd */
function startMs(source, cwd) {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { cwd })
  if (status !== 0) throw new Error(String(stderr))
  return performance.now() - start
}

/**
 * Measures how much importing a package adds to the start time of Node. Starts with and without the import alternate. Returns the
 * difference of the medians and that of the fastest; the caller takes the smaller one. Other work on the machine slows all starts,
 * the fastest ones the least.
 *
 * @param {string} name
 * @param {string} cwd
 */
function importMs(name, cwd) {
  /** @type {number[]} */
  const plain = []
  /** @type {number[]} */
  const importing = []
  for (let i = 0; i < runs; i += 1) {
    plain.push(startMs('', cwd))
    importing.push(startMs(`import '${name}'`, cwd))
  }
  const at = (/** @type {number} */ rank) => {
    const [alone = Number.NaN, withImport = Number.NaN] = [plain, importing].map(
      (times) => times.sort((a, b) => a - b)[rank],
    )
    return { alone, withImport, added: withImport - alone }
  }
  return { median: at(runs >> 1), fastest: at(0) }
}

const coreKB = (await browserBytes("export * from '@ivcap/core'", 'packages/core')) / 1000
report('@ivcap/core for a browser', coreKB, limits.coreKB, 'KB gzipped')
const platformKB = (await browserBytes("export * from '@ivcap/client'", 'packages/client')) / 1000
report(
  '@ivcap/client for a browser, platform and uploads included',
  platformKB,
  limits.platformKB,
  'KB gzipped',
)

const { median, fastest } = importMs('@ivcap/client', join(root, 'packages/client'))
const note = `; medians of ${runs}: node alone ${median.alone.toFixed(1)} ms, with the import ${median.withImport.toFixed(1)} ms`
// On a machine so busy that Node alone takes longer than the limit, the time of Node alone is the limit.
const limit = Math.max(limits.importMs, Math.round(median.alone))
report("import '@ivcap/client'", Math.min(median.added, fastest.added), limit, 'ms', note)

process.exit(failed ? 1 : 0)
