import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compilerOf } from '../lib/mutants/compiles.mjs'
import { applied, mutationsOf, shuffled } from '../lib/mutants/find.mjs'

/** The source after each change of this kind. */
const after = (kind: string, source: string) =>
  mutationsOf(source)
    .filter((mutation) => mutation.kind === kind)
    .map((mutation) => applied(source, mutation))

test.each([
  ['if (a) b()', ['if (!(a)) b()']],
  ['while (a && b) {}', ['while (!(a && b)) {}']],
  ['for (let i = 0; i < 3; i++) {}', ['for (let i = 0; !(i < 3); i++) {}']],
  ['const x = a === 1 ? b : c', ['const x = !(a === 1) ? b : c']],
])('a condition is negated: %s', (source, changed) => {
  expect(after('condition', source)).toEqual(changed)
})

test.each([
  ['a < b', ['a <= b']],
  ['a <= b', ['a < b']],
  ['a > b && c >= d', ['a >= b && c >= d', 'a > b && c > d']],
])('a boundary is moved: %s', (source, changed) => {
  expect(after('boundary', source)).toEqual(changed)
})

test('an equality is swapped, but not where it is a whole condition, which is negated', () => {
  expect(after('comparison', 'f(a === b, c !== d)')).toEqual(['f(a !== b, c !== d)', 'f(a === b, c === d)'])
  expect(after('comparison', 'if (a === b) c()')).toEqual([])
})

test('&& and || are swapped as they stand, whatever is beside them', () => {
  expect(after('logic', 'a && b || c')).toEqual(['((a) || (b)) || c', '((a && b) && (c))'])
})

test('an await is dropped, what it waited for is not', () => {
  expect(after('await', 'x = (await f(await y)).z')).toEqual(['x = (f(await y)).z', 'x = (await f(y)).z'])
})

test('statements are dropped, but neither declarations nor what a function returns in the end', () => {
  const source =
    'class A extends B { constructor() { super(); this.a = 1 } f() { if (x) return 1; throw y; return 2 } }'
  expect(after('statement', source)).toEqual([
    source.replace('this.a = 1', ';'),
    source.replace('return 1;', ';'),
    source.replace('throw y;', ';'),
  ])
})

test('members of objects are dropped, functions are not', () => {
  expect(after('member', 'x = { a: 1, b, ...c, d: () => {}, e() {} }')).toEqual([
    'x = {  b, ...c, d: () => {}, e() {} }',
    'x = { a: 1,  ...c, d: () => {}, e() {} }',
    'x = { a: 1, b,  d: () => {}, e() {} }',
  ])
})

test('types stay as they are', () => {
  expect(
    mutationsOf("type A = B extends C ? D : E; interface F { g: 'h' | 'i' }; let j: K<{ l: 1 }>"),
  ).toEqual([])
})

test('lines count from 1', () => {
  expect(mutationsOf('f\n\nif (a) {}').map(({ line }) => line)).toEqual([1, 3])
})

test('rows of tables are no subject of tests', () => {
  expect(after('member', "x = { 'text/csv': ['csv'], 'a-b': c, d: 1 }")).toEqual([
    "x = { 'text/csv': ['csv'],  d: 1 }",
    "x = { 'text/csv': ['csv'], 'a-b': c,  }",
  ])
})

test('the seed decides the order', () => {
  const items = Array.from({ length: 100 }, (_, n) => n)
  const order = shuffled(items, 7)
  expect(shuffled(items, 7)).toEqual(order)
  expect(shuffled(items, 8)).not.toEqual(order)
  expect([...order].sort((a, b) => a - b)).toEqual(items)
})

test('what does not compile is told from what does', { timeout: 60_000 }, () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const file = 'packages/sql-json-path/src/index.ts'
  const source = readFileSync(join(root, file), 'utf8')
  const compiles = compilerOf(root)
  expect(compiles(file, `${source}\nexport const one: number = 1\n`)).toBe(true)
  expect(compiles(file, `${source}\nexport const one: number = 'one'\n`)).toBe(false)
  expect(compiles(file, `${source}\nfunction unused() {}\n`)).toBe(true)
})
