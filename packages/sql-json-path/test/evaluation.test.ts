import { type Budget, compile, type JsonValue, SqlJsonPathError, type Work } from '@ivcap/sql-json-path'
import { expect, it } from 'vitest'

const pausing: Budget = { spend: () => true }

function finish(outcome: boolean | Work<boolean>): boolean {
  if (typeof outcome === 'boolean') return outcome
  for (;;) {
    const { done, value } = outcome.next()
    if (done) return value
  }
}

function reasonOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return error instanceof SqlJsonPathError ? error.reason : String(error)
  }
}

it.each<[path: string, document: JsonValue, items: JsonValue[]]>([
  ['$.a[*] ? (@ > 1)', { a: [1, 2, 3] }, [2, 3]],
  ['$.a', {}, []],
  ['$.a[*] + 1', { a: [] }, []],
  ['$.a * 0.1', { a: 3 }, [0.3]],
  ['$.a > 1', { a: 2 }, [true]],
  ['$.a > 1', { a: 'x' }, [null]],
  [
    '$.keyvalue()',
    { long: 1, k: 'paused' },
    [
      { id: 0, key: 'k', value: 'paused' },
      { id: 0, key: 'long', value: 1 },
    ],
  ],
  ['$[*].double()', [1, 'x', 2], [1]],
  ['$[*].string()', ['paused', 'failed'], ['paused', 'failed']],
])('%s selects from %j: %j', (path, document, items) => {
  expect(compile(path).select(document)).toEqual(items)
})

it('extra members belong to the root object, which overrides them', () => {
  const extraMembers = { $schema: 's', a: 2 }
  expect(compile('$.**').select({ a: 1 }, { extraMembers })).toEqual([{ a: 1 }, 1, 's'])
  expect(compile('$."$schema"').exists({ b: {} }, { extraMembers })).toBe(true)
  expect(compile('$.b."$schema"').exists({ b: {} }, { extraMembers })).toBe(false)
  expect(compile('$."$schema"').exists({})).toBe(false)
})

it('an evaluation ends when it has taken the steps that it may', () => {
  const pairs = compile('$.a[*] ? (@ == $.b[*])')
  const document = { a: Array(100).fill(1), b: Array(100).fill(2) }
  expect(reasonOf(() => pairs.exists(document, { maxSteps: 1000 }))).toBe('too-expensive')
  expect(reasonOf(() => pairs.select(document, { maxSteps: 1000 }))).toBe('too-expensive')
  // the path can be used again
  expect(pairs.exists({ a: [1], b: [1] })).toBe(true)
})

it('what a budget throws comes through, and the path can be used again', () => {
  const path = compile('$[*] ? (@[*] == 1)')
  const budget: Budget = {
    spend: () => {
      throw new RangeError('enough')
    },
  }
  expect(() => path.existsWithin(budget, [[2], [1]])).toThrow(RangeError)
  expect(path.exists([[2], [1]])).toBe(true)
})

it('evaluations of one path pause and continue beside each other', () => {
  const path = compile('$[*] ? (@.a[*] == $[0].b[*] && !(@.c starts with "x")).**{1 to 2}')
  const matching = [{ b: [3, 4] }, { a: [1, 2] }, { a: [2, 4], c: 'y' }]
  const other = [{ b: [3, 4] }, { a: [1, 2] }, { a: [2, 4], c: 'x' }]
  const works = [matching, other, matching].map((document) => path.existsWithin(pausing, document))
  expect(path.exists(matching)).toBe(true)
  const found: (boolean | undefined)[] = works.map(() => undefined)
  while (found.includes(undefined)) {
    for (const [i, work] of works.entries()) {
      if (found[i] !== undefined) continue
      if (typeof work === 'boolean') throw new Error('it should have paused')
      const { done, value } = work.next()
      if (done) found[i] = value
    }
  }
  expect(found).toEqual([true, false, true])
})

it.each([
  ['syntax', '$.'],
  ['unsupported', '$.a.date()'],
  ['too-large', `$${' '.repeat(10_000)}`],
  ['too-large', '$ like_regex "((a{99}){99}){99}"'],
  ['too-deep', `$${'[0]'.repeat(400)}`],
])('a path is refused as %s', (reason, path) => {
  expect(reasonOf(() => compile(path))).toBe(reason)
})

it('a document nested too deep for the path is refused, by keys and by **', () => {
  let document: JsonValue = 1
  for (let i = 0; i < 400; i++) document = [{ a: document }]
  for (const path of [`$${'.a'.repeat(400)}`, '$.** ? (@ == 0)']) {
    expect(reasonOf(() => compile(path).exists(document))).toBe('too-deep')
    expect(reasonOf(() => finish(compile(path).existsWithin(pausing, document)))).toBe('too-deep')
  }
})

it('many conditions are joined without a deep stack', () => {
  const path = compile(Array.from({ length: 1100 }, (_, i) => `$==${i}`).join('||'))
  expect(path.select(900)).toEqual([true])
  expect(path.select(-1)).toEqual([false])
})
