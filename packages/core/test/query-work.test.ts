import type { JsonValue } from '@ivcap/core/driver'
import { artifactFilter, compileContentPath, nextTurn, WorkBudget } from '@ivcap/core/internal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** Counts instead of measuring: a look at the clock finds that as long has passed as the steps since the last look are said to take. */
function counted(limit = Number.POSITIVE_INFINITY) {
  let [looks, pauses, time] = [0, 0, 0]
  const budget = new WorkBudget({
    limit,
    now: () => {
      looks += 1
      time += 1000
      return time
    },
    pause: async () => {
      pauses += 1
    },
  })
  return { budget, looks: () => looks, pauses: () => pauses }
}

const artifact = { id: 'urn:ivcap:artifact:00000000-0000-4000-8000-000000000001', status: 'ready' } as const

/** How often the clock is looked at, each time for the same number of steps. */
async function looksOf(path: string, content: JsonValue): Promise<number> {
  const { budget, looks } = counted()
  await compileContentPath(path)(content, budget)
  return looks()
}

async function looksOfFilter(filter: string, name: string): Promise<number> {
  const { budget, looks } = counted()
  await artifactFilter(filter)({ ...artifact, name }, budget)
  return looks()
}

describe('the steps of a query grow with the text, and no more', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '_', '%'), { minLength: 1, maxLength: 200 })

  it('by any pattern of LIKE', async () => {
    const texts = fc.array(fc.constantFrom('a', 'a', 'b'), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(letters, texts, async (pattern, unit) => {
        const text = unit.join('').repeat(5000)
        const filter = `name ~= '%${pattern.join('')}!'`
        const once = await looksOfFilter(filter, text)
        const fourTimes = await looksOfFilter(filter, text.repeat(4))
        expect(fourTimes).toBeLessThanOrEqual(5 * once + 10)
        // a thirty-second of the pattern at most for each character, at 16 characters a step and 512 steps a look
        expect(fourTimes).toBeLessThanOrEqual(((text.length * 4) / 16 / 512) * (4 + 200 / 32 + 1) + 20)
      }),
      { numRuns: 60 },
    )
  })

  it('by any regular expression', async () => {
    const pieces = fc.constantFrom('a', 'b', '.', '[ab]', '(a|b)', '(a*)*', 'a+', '(a|aa)+', 'b?')
    const patterns = fc.array(pieces, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(patterns, async (pattern) => {
        const path = `$ ? (@ like_regex "^${pattern}$")`
        const once = await looksOf(path, `${'a'.repeat(4000)}!`)
        const fourTimes = await looksOf(path, `${'a'.repeat(16_000)}!`)
        expect(fourTimes).toBeLessThanOrEqual(5 * once + 10)
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    '$.double()',
    '$.number()',
    '$.decimal(10, 2)',
    '$.integer()',
    '$.bigint()',
    '$.boolean()',
    '$ ? (@ starts with "1")',
    '$ == "1"',
    '$ like_regex "^[0-9]+$"',
  ])('by %s, whose time does so, too', async (path) => {
    // each of these took seconds or more where a pattern went back and forth
    for (const text of ['1'.repeat(500_000), `${' '.repeat(500_000)}x`, `1${'_1'.repeat(250_000)}x`]) {
      const { budget, looks } = counted()
      const started = performance.now()
      await compileContentPath(path)(`${text}x`, budget)
      expect(performance.now() - started).toBeLessThan(5000)
      expect(looks()).toBeLessThan(5000)
    }
  })
})

describe('a query that computes for long pauses, and ends', () => {
  const join = '$.a[*] ? (@ == $.b[*])'
  const pairs = { a: Array(600).fill(1), b: Array(600).fill(2) }
  const regex = '$ ? (@ like_regex "(a*)*(a|b|ab)*c")'

  it.each<[what: string, path: string, content: JsonValue]>([
    ['every pair', join, pairs],
    ['descendants of descendants', '$.**.**.** ? (@ == 0)', nested(60)],
    ['a slow regular expression', regex, 'a'.repeat(50_000)],
    ['many members', '$.*', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]))],
    [
      'long keys',
      '$.* ? (@ == 1)',
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${'k'.repeat(9000)}${i}`, 0])),
    ],
    ['long texts that are no numbers', '$[*] ? (@.double() > 1)', Array(40).fill(`${'1'.repeat(50_000)}x`)],
    ['large numbers', `$ ? (${Array(40).fill('@.decimal() * 3').join(' + ')} > 1)`, '9'.repeat(9000)],
  ])('inside of one content: %s', async (_, path, content) => {
    const { budget, pauses } = counted()
    await compileContentPath(path)(content, budget)
    expect(pauses()).toBeGreaterThan(10)
    await expect(compileContentPath(path)(content, counted(1).budget)).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'contentPath',
      message: expect.stringContaining('make it more specific'),
    })
  })

  it('inside of one text that a filter looks at', async () => {
    const name = 'a'.repeat(400_000)
    const filter = `name ~= '%${'a'.repeat(6000)}b%'`
    const { budget, pauses } = counted()
    expect(await artifactFilter(filter)({ ...artifact, name }, budget)).toBe(false)
    expect(pauses()).toBeGreaterThan(10)
    await expect(artifactFilter(filter)({ ...artifact, name }, counted(1).budget)).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'filter',
    })
  })

  it('over all contents of one request, which share its time', async () => {
    const path = compileContentPath(join)
    const { budget } = counted(20)
    const all = (async () => {
      for (let i = 0; i < 100; i++) await path(pairs, budget)
    })()
    await expect(all).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  it('but never because many contents are looked at', async () => {
    const path = compileContentPath('$.a ? (@ > 1)')
    const { budget } = counted(1)
    for (let i = 0; i < 20_000; i++) expect(await path({ a: 1 }, budget)).toBe(false)
  })

  it('and hears its signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const pause = async () => controller.abort(reason)
    const budget = new WorkBudget({ signal: controller.signal, pause })
    await expect(compileContentPath(join)(pairs, budget)).rejects.toBe(reason)
  })
})

it('of all that waits for a turn of the event loop, one goes on in each', async () => {
  const inTurn = new Map<number, number>()
  let turn = 0
  let counting = true
  const count = () => {
    turn += 1
    if (counting) setImmediate(count)
  }
  setImmediate(count)
  const work = async () => {
    for (let i = 0; i < 5; i++) {
      await nextTurn()
      inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 10 }, work))
  counting = false
  expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(2)
  expect(inTurn.size).toBeGreaterThan(20)
})

function nested(levels: number): JsonValue {
  return levels === 0 ? 1 : { a: [nested(levels - 1)], b: 1 }
}
