// npm run mutants [-- --count N --seed S --minutes M --file PATH[:LINE] --list]: finds code changes that no test detects.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { areas, inOrder, sourcesOf, testsOf } from './lib/mutants/areas.mjs'
import { compilerOf } from './lib/mutants/compiles.mjs'
import { copyOfCheckout } from './lib/mutants/copy.mjs'
import { applied, mutationsOf, shuffled } from './lib/mutants/find.mjs'
import { runTests } from './lib/mutants/run-tests.mjs'
import { root } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

const HELP = `npm run mutants -- [options]

Changes one place of the engine, of transfers or of the local folder so that it still compiles, runs the tests of that code, and
tells whether one of them failed. Works in copies of the checkout, which are removed at the end. Results: .cache/mutants/seed-<S>.json and .txt; what an
earlier run of the same seed has caught is not tried again.

  --count N           mutants, a sample that the seed decides      (default: 300)
  --seed S            a larger count of the same seed adds some    (default: 1)
  --minutes M         begins no mutant after that time             (default: 90)
  --at-once N         mutants at the same time                     (default: 2)
  --file PATH[:LINE]  only those of this file, repeatable          (default: all)
  --fresh             tries all again
  --list              prints the mutants and runs nothing
  --help              prints this`

/** @typedef {import('./lib/mutants/find.mjs').Mutation & { file: string, area: import('./lib/mutants/areas.mjs').Area }} Mutant */
/** @typedef {Mutant & { outcome: 'killed' | 'survived' | 'timed-out', by: string, seconds: number }} Result */

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '90' },
    'at-once': { type: 'string', default: '2' },
    file: { type: 'string', multiple: true },
    fresh: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

/** @param {'count' | 'seed' | 'minutes' | 'at-once'} name */
function numberOf(name) {
  if (/^\d+$/.test(values[name])) return Number(values[name])
  console.error(`--${name} is not a whole number: ${values[name]}`)
  process.exit(2)
}
const [count, seed, minutes, atOnce] = [
  numberOf('count'),
  numberOf('seed'),
  numberOf('minutes'),
  Math.max(1, numberOf('at-once')),
]

/** @type {readonly Mutant[]} */
const all = areas.flatMap((area) =>
  sourcesOf(area, root).flatMap((file) =>
    mutationsOf(readFileSync(join(root, file), 'utf8')).map((mutation) => ({ ...mutation, file, area })),
  ),
)
const wanted = all.filter(
  ({ file, line }) => values.file?.some((path) => path === file || path === `${file}:${line}`) ?? true,
)
if (wanted.length === 0) {
  console.error(`--file ${values.file?.join(', ')} has no place to change; the sources are:`)
  for (const { sources } of areas) console.error(`  ${sources}`)
  process.exit(2)
}
const mutants = compiling()

/** Returns the first `count` mutants that compile, in the order that the seed determines. The others need no test. */
function compiling() {
  const compiles = compilerOf(root)
  /** @type {Mutant[]} */
  const found = []
  for (const mutant of shuffled(wanted, seed)) {
    if (found.length === count) break
    const source = readFileSync(join(root, mutant.file), 'utf8')
    if (compiles(mutant.file, applied(source, mutant))) found.push(mutant)
  }
  return found
}

/** Describes a mutant on one line. @param {Mutant} mutant */
const described = ({ file, line, kind, before, after }) =>
  `${file}:${line} ${kind}: ${short(before)} → ${after === '' ? 'nothing' : short(after)}`
/** @param {string} text */
const short = (text) => {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 100 ? `${line.slice(0, 99)}…` : line
}

if (values.list) {
  for (const mutant of mutants) console.log(described(mutant))
  process.exit(0)
}

const folder = join(root, '.cache', 'mutants')
const file = join(folder, `seed-${seed}.json`)

await setUp()
const stop = new AbortController()
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => stop.abort())

const start = Date.now()
const copies = Array.from({ length: Math.min(atOnce, mutants.length) }, copyOfCheckout)
/** @type {Result[]} */
const results = values.fresh ? [] : caughtBefore()
const waiting = mutants.filter((mutant) => !results.some((result) => described(result) === described(mutant)))
if (results.length > 0) console.log(`caught by an earlier run: ${results.length}`)
try {
  const usual = await unchanged([...new Set(waiting.map(({ area }) => area))])
  let next = 0
  await inEachCopy(async (dir) => {
    while (next < waiting.length && !stop.signal.aborted && Date.now() - start < minutes * 60_000) {
      const mutant = waiting[next++]
      const durations = mutant && usual.get(mutant.area)
      if (mutant && durations) await tried(dir, mutant, durations)
    }
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await Promise.all(copies.map(({ remove }) => remove()))
}
if (results.length > 0) save()
process.exit(process.exitCode ?? (stop.signal.aborted ? 130 : 0))

/** Returns the mutants that an earlier run caught. Its survivors are tried again, since a newer test may catch them. */
function caughtBefore() {
  if (!existsSync(file)) return []
  /** @type {{ results: (Omit<Result, 'area'> & { area: string })[] }} */
  const earlier = JSON.parse(readFileSync(file, 'utf8'))
  return mutants.flatMap((mutant) => {
    const result = earlier.results.find(
      (one) =>
        one.file === mutant.file &&
        one.line === mutant.line &&
        one.before === mutant.before &&
        one.after === mutant.after,
    )
    return result && result.outcome !== 'survived' ? [{ ...result, ...mutant }] : []
  })
}

/**
 * Measures how long the tests of each area take without a change. They must pass.
 *
 * @param {readonly import('./lib/mutants/areas.mjs').Area[]} wanted
 */
async function unchanged(wanted) {
  /** @type {Map<import('./lib/mutants/areas.mjs').Area, ReadonlyMap<string, number>>} */
  const usual = new Map()
  const left = [...wanted]
  await inEachCopy(async (dir) => {
    for (let area = left.shift(); area; area = left.shift()) {
      const o = { limit: 900, signal: stop.signal }
      const { outcome, by, durations } = await runTests(dir, testsOf(area, root), o)
      if (outcome === 'stopped') return
      if (outcome !== 'passed')
        throw new Error(`the tests of ${area.sources} fail without a change: ${by || outcome}`)
      usual.set(area, durations)
      console.log(`${area.sources}: ${durations.size} test files, ${total(durations).toFixed(0)} s unchanged`)
    }
  })
  return usual
}

/** Runs `work` in all copies concurrently. If one fails, it stops the others first. @param {(dir: string) => Promise<void>} work */
async function inEachCopy(work) {
  const outcomes = await Promise.allSettled(
    copies.map(({ dir }) =>
      work(dir).catch((error) => {
        stop.abort()
        throw error
      }),
    ),
  )
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** @param {string} dir @param {Mutant} mutant @param {ReadonlyMap<string, number>} durations */
async function tried(dir, mutant, durations) {
  const path = join(dir, mutant.file)
  const source = readFileSync(path, 'utf8')
  const began = Date.now()
  writeFileSync(path, applied(source, mutant))
  try {
    // Most endless mutants are detected earlier, by the timeout of a test.
    const limit = 30 + 3 * total(durations)
    const { outcome, by } = await runTests(dir, inOrder(mutant.file, durations), {
      limit,
      signal: stop.signal,
    })
    if (outcome === 'stopped') return
    const name = { passed: 'survived', failed: 'killed', 'timed-out': 'timed-out' }
    const seconds = Math.round((Date.now() - began) / 100) / 10
    const result = { ...mutant, outcome: /** @type {Result['outcome']} */ (name[outcome]), by, seconds }
    results.push(result)
    console.log(`${results.length}/${mutants.length} ${line(result)}`)
  } finally {
    writeFileSync(path, source)
  }
}

/** @param {Result} result */
function line(result) {
  const by = result.by ? `\n    by ${short(result.by)}` : ''
  return `${result.outcome} (${result.seconds} s) ${described(result)}${by}`
}

/** @param {ReadonlyMap<string, number>} durations */
function total(durations) {
  return [...durations.values()].reduce((sum, seconds) => sum + seconds, 0)
}

function save() {
  /** @param {readonly Result[]} of */
  const summary = (of) => {
    const survived = of.filter(({ outcome }) => outcome === 'survived').length
    const caught = of.length - survived
    const percent = of.length === 0 ? 0 : Math.floor((100 * caught) / of.length)
    return `${of.length} mutants, ${caught} caught (${percent} %), ${survived} survived`
  }
  const lines = [
    `seed ${seed}, ${((Date.now() - start) / 60_000).toFixed(1)} minutes: ${summary(results)}`,
    ...areas.map((area) => `  ${area.sources}: ${summary(results.filter((result) => result.area === area))}`),
    ...results.filter(({ outcome }) => outcome === 'survived').map((result) => line(result)),
  ]
  console.log(lines.join('\n'))
  mkdirSync(folder, { recursive: true })
  const plain = results.map(({ area, start: _, end: __, ...rest }) => ({ area: area.sources, ...rest }))
  writeFileSync(file, `${JSON.stringify({ seed, count, results: plain }, null, 1)}\n`)
  writeFileSync(join(folder, `seed-${seed}.txt`), `${[...lines, '', ...results.map(line)].join('\n')}\n`)
  console.log(`Saved: ${join('.cache', 'mutants', `seed-${seed}.json`)} and .txt`)
}
