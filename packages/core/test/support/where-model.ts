import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../../src/model/json.js'

/** Conditions, as loosely as a test needs them. */
export type Conditions = { readonly [key: string]: unknown }

const TEXTS = [
  'raw',
  'coral',
  'coral reef',
  'Reef',
  'CTD-1',
  '10%',
  'a_b',
  'a.b',
  '',
  'é',
  '\u{1f41f}',
  '\uffee',
  'a\nb',
  '\\',
]
const scalar = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.constantFrom(-1, 0, 0.5, 1, 2, 10, 1_000_000, 1e21, -2.5e-7),
  fc.boolean(),
  fc.constant(null),
)
const KEYS = ['a', 'b', 'tags', 'c.d', 'not', 'exists', 'ü', 'to']
const PATHS = [
  'a',
  'b',
  'tags',
  'a.b',
  'b.a',
  'a.tags',
  'a.a.b',
  '"c.d"',
  'a."c.d"',
  '"not"',
  'exists',
  'ü',
  'to',
  'a.to',
]

const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 5, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 4 }) },
  ),
}))
/** Contents of aspects. */
export const contents: fc.Arbitrary<JsonObject> = fc.dictionary(fc.constantFrom(...KEYS), value, {
  minKeys: 1,
  maxKeys: 5,
})

const comparable = fc.oneof(fc.constantFrom(...TEXTS), fc.constantFrom(-1, 0, 0.5, 1, 10, 1e21))
const operators = fc
  .record(
    {
      eq: scalar,
      ne: scalar,
      in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
      exists: fc.boolean(),
      gt: comparable,
      gte: comparable,
      lt: comparable,
      lte: comparable,
      startsWith: fc.constantFrom('', 'c', 'CTD', 'r', '\u{1f41f}'),
      like: fc.constantFrom(
        '%',
        'c%',
        '%reef',
        '%o%l%',
        '_\\__',
        '10\\%',
        '%.%',
        'a%b',
        '\\\\',
        '_',
        'coral',
      ),
      matches: fc.constantFrom('^c', 'ree?f$', '[A-Z]', '\\d', 'o.a', '^$', 'a|e'),
    },
    { requiredKeys: [] },
  )
  .filter((given) => Object.keys(given).length > 0)
  .chain((given) =>
    'matches' in given
      ? fc
          .constantFrom(undefined, 'i', 's')
          .map((flags) => (flags === undefined ? given : { ...given, flags }))
      : fc.constant(given),
  )

/** What `where` may be. */
export const conditions = fc.letrec<{ where: Conditions }>((tie) => ({
  where: fc.oneof(
    { depthSize: 'small' },
    {
      weight: 6,
      arbitrary: fc.dictionary(fc.constantFrom(...PATHS), fc.oneof(scalar, operators), {
        minKeys: 1,
        maxKeys: 2,
      }),
    },
    { weight: 1, arbitrary: fc.record({ and: fc.array(tie('where'), { minLength: 1, maxLength: 2 }) }) },
    { weight: 1, arbitrary: fc.record({ or: fc.array(tie('where'), { minLength: 1, maxLength: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ not: tie('where') }) },
  ),
})).where

/** Whether the conditions are true of a content, by their definition and without a path. */
export function isTrueOf(where: unknown, content: JsonObject): boolean {
  return Object.entries(where ?? {}).every(([key, condition]: [string, unknown]) => {
    if (key === 'and') return listOf(condition).every((one) => isTrueOf(one, content))
    if (key === 'or') return listOf(condition).some((one) => isTrueOf(one, content))
    if (key === 'not') return !isTrueOf(condition, content)
    const found = segments(key).reduce<JsonValue[]>(
      (items, name) => items.flatMap((item) => elementsOf(item).flatMap((one) => member(one, name))),
      [content],
    )
    if (typeof condition !== 'object' || condition === null)
      return found.flatMap(elementsOf).includes(condition as JsonValue)
    return Object.entries(condition).every(([name, operand]) => holds(name, operand, found, condition))
  })
}

function holds(name: string, operand: unknown, found: readonly JsonValue[], all: object): boolean {
  const values = found.flatMap(elementsOf)
  const texts = values.filter((one) => typeof one === 'string')
  const ordered = (test: (order: number) => boolean) =>
    values.some((one) => typeof one === typeof operand && one !== null && test(order(one, operand)))
  switch (name) {
    case 'eq':
      return values.some((one) => one === operand)
    case 'ne':
      return found.length > 0 && !values.some((one) => one === operand)
    case 'in':
      return values.some((one) => listOf(operand).includes(one))
    case 'exists':
      return found.length > 0 === operand
    case 'gt':
      return ordered((order) => order > 0)
    case 'gte':
      return ordered((order) => order >= 0)
    case 'lt':
      return ordered((order) => order < 0)
    case 'lte':
      return ordered((order) => order <= 0)
    case 'startsWith':
      return texts.some((text) => text.startsWith(String(operand)))
    case 'like':
      return texts.some((text) => like([...text], [...String(operand)]))
    case 'matches':
      return texts.some((text) =>
        new RegExp(String(operand), 'flags' in all ? String(all.flags) : '').test(text),
      )
    default:
      return true
  }
}

/** SQL's LIKE, one character after the other. */
function like(text: readonly string[], [first, ...rest]: readonly string[]): boolean {
  const [char, ...others] = text
  if (first === undefined) return char === undefined
  if (first === '%') return like(text, rest) || (char !== undefined && like(others, [first, ...rest]))
  if (char === undefined) return false
  if (first === '_') return like(others, rest)
  if (first === '\\') return char === rest[0] && like(others, rest.slice(1))
  return char === first && like(others, rest)
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const elementsOf = (value: JsonValue): readonly JsonValue[] => (Array.isArray(value) ? value : [value])
const segments = (path: string) =>
  [...path.matchAll(/"([^"]*)"|[^".]+/g)].map(([bare, quoted]) => quoted ?? bare)

function member(value: JsonValue, name: string): readonly JsonValue[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const entry = Object.entries(value).find(([key]) => key === name)
  return entry === undefined ? [] : [entry[1]]
}

/** Texts by code point. */
function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [[...String(a)], [...String(b)]].map((chars) =>
    chars.map((char) => char.codePointAt(0) ?? 0),
  )
  for (let i = 0; ; i++) {
    const [x = -1, y = -1] = [left?.[i], right?.[i]]
    if (x !== y || x === -1) return x - y
  }
}
