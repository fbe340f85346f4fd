// npm run size: what a user pays for importing us. Needs a build; fails when a limit is exceeded.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './lib/run.mjs'

const limits = { coreKB: 25, platformKB: 60, importMs: 60 }
const runs = 15

let failed = false

/** @param {string} what @param {number} value @param {number} limit @param {string} unit @param {string} [note] */
function report(what, value, limit, unit, note = '') {
  const tooMuch = value > limit
  failed ||= tooMuch
  console.log(`${tooMuch ? '✗' : '✓'} ${what}: ${value.toFixed(1)} ${unit} (limit ${limit} ${unit})${note}`)
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Milliseconds that one fresh Node takes from start to end. @param {string} source @param {string} cwd */
function startMs(source, cwd) {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { cwd })
  if (status !== 0) throw new Error(String(stderr))
  return performance.now() - start
}

/**
 * What importing a package adds to the start of Node: the difference of medians, the two kinds of start taking turns.
 *
 * @param {string} name
 * @param {string} cwd
 */
function importMs(name, cwd) {
  const plain = []
  const importing = []
  for (let i = 0; i < runs; i += 1) {
    plain.push(startMs('', cwd))
    importing.push(startMs(`import '${name}'`, cwd))
  }
  const medians = { plain: median(plain), importing: median(importing) }
  return { ...medians, added: medians.importing - medians.plain }
}

/**
 * Bytes of everything that a browser loads for `import * from name`, minified and gzipped.
 *
 * @param {string} name
 * @param {string} folder whose package imports it
 */
async function browserBytes(name, folder) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: join(root, folder) },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser', // with it, a Node module that slipped in can't be resolved
    conditions: ['browser', 'import', 'default'],
  })
  return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0)
}

const coreKB = (await browserBytes('@ivcap/core', 'packages/core')) / 1000
report('@ivcap/core for a browser', coreKB, limits.coreKB, 'KB gzipped')
const platformKB = (await browserBytes('@ivcap/client', 'packages/client')) / 1000
report(
  '@ivcap/client for a browser, platform and uploads included',
  platformKB,
  limits.platformKB,
  'KB gzipped',
)

// Other work on this machine makes everything slower: only what stays too slow is too slow.
const client = join(root, 'packages/client')
let times = importMs('@ivcap/client', client)
for (let again = 0; again < 2 && times.added > limits.importMs; again += 1)
  times = importMs('@ivcap/client', client)
const note = `; node alone ${times.plain.toFixed(1)} ms, with the import ${times.importing.toFixed(1)} ms, medians of ${runs}`
report("import '@ivcap/client'", times.added, limits.importMs, 'ms', note)

process.exit(failed ? 1 : 0)
