import { compile, SqlJsonPathError } from '@ivcap/sql-json-path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, pairs, values } from './support/pairs.js'
import { openPostgres, type Postgres } from './support/postgres.js'
import { regexPairs, scribbles } from './support/scribbles.js'

/** Other seeds, and many times as much, by hand. */
const seed = Number(process.env['IVCAP_TEST_SEED'] ?? 1)
const scale = Number(process.env['IVCAP_TEST_SCALE'] ?? 1)

const LEFT_OUT = 'left out'

let postgres: Postgres

beforeAll(async () => {
  postgres = await openPostgres()
}, 120_000)
afterAll(() => postgres.close())

describe('paths find what PostgreSQL finds', { timeout: 240_000 * scale }, () => {
  it('in random documents', async () => {
    const found = await compareAll(fc.sample(pairs, { seed, numRuns: 24_000 * scale }))
    expect(found).toBeGreaterThan(6000)
  })

  it('in values that are exactly what it computes', async () => {
    const sample = fc.sample(values, { seed, numRuns: 12_000 * scale })
    const firsts = await postgres.first(sample.map((pair) => ({ ...pair, path: pair.mode + pair.path })))
    const checks = sample.flatMap(({ mode, path, document }, i): Pair[] => {
      const first = firsts[i] ?? '{}'
      if (/^[[{]/.test(first)) return []
      if (firsts[i] !== null) expect(compile(mode + path).select(document)[0]).toEqual(JSON.parse(first))
      // the text of a number has all the digits that it keeps
      const text = /^["tfn]/.test(first) ? first : JSON.stringify(first)
      return [
        { path: `${mode}(${path}) ? (@ == ${first})`, document },
        { path: `${mode}(${path}).string() ? (@ == ${text})`, document },
      ]
    })
    expect(await compareAll(checks)).toBeGreaterThan(checks.length / 2)
    expect(checks.length).toBeGreaterThan(6000)
  })

  it('by random regular expressions', async () => {
    const found = await compareAll(fc.sample(regexPairs, { seed, numRuns: 6000 * scale }))
    expect(found).toBeGreaterThan(2000)
  })

  it('and what it calls no path is none', async () => {
    const texts = fc.sample(scribbles, { seed, numRuns: 12_000 * scale })
    const problems = await postgres.problems(texts)
    const differences = texts.flatMap((text, i) => {
      const ours = problemOf(text)
      const theirs = problems[i] ?? null
      return ours === LEFT_OUT || (ours === null) === (theirs === null) ? [] : [{ text, ours, theirs }]
    })
    expect(shortest(differences, ({ text }) => text)).toEqual([])
    expect(problems.filter((problem) => problem === null).length).toBeGreaterThan(500)
  })
})

/** How many find something, all being alike. */
async function compareAll(sample: readonly Pair[]): Promise<number> {
  const theirs = await postgres.exists(sample)
  const differences: object[] = []
  for (const [i, { path, document }] of sample.entries()) {
    const ours = compile(path).exists(document)
    const withPauses = existsWithPauses({ path, document })
    if (ours !== theirs[i] || withPauses !== ours) differences.push({ path, document, ours, withPauses })
  }
  expect(shortest(differences, (difference) => JSON.stringify(difference))).toEqual([])
  return theirs.filter((found) => found).length
}

/** Pauses wherever that is possible. */
function existsWithPauses({ path, document }: Pair): boolean {
  const outcome = compile(path).existsWithin({ spend: () => true }, document)
  if (typeof outcome === 'boolean') return outcome
  for (;;) {
    const { done, value } = outcome.next()
    if (done) return value
  }
}

/** The easiest to look into. */
function shortest<T>(differences: readonly T[], textOf: (difference: T) => string): readonly T[] {
  return [...differences].sort((a, b) => textOf(a).length - textOf(b).length).slice(0, 10)
}

function problemOf(path: string): string | null {
  try {
    compile(path)
    return null
  } catch (error) {
    if (!(error instanceof SqlJsonPathError)) throw error
    // PostgreSQL forgets a word that a comment follows, and may then find a path in the rest
    const isLeftOut = error.reason === 'unsupported' || error.message.includes('put a blank between')
    return isLeftOut ? LEFT_OUT : error.message
  }
}
