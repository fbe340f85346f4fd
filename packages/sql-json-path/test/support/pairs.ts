import type { JsonValue } from '@ivcap/sql-json-path'
import fc from 'fast-check'
import { join, more, one, REGEX_FLAGS, type Text } from './texts.js'

/** Paths and documents of the same few keys and values, so that they meet. */
const KEYS = ['a', 'b', 'ab', 'z', 'size', 'to', 'é', 'long key', 'x\ny']
const NUMBERS = [0, 1, 2, 3, -1, -2, 1.5, -0.25, 0.1, 2.5, 10000, 2 ** 53 + 2, 1e21, 1.5e-7, 5e-324, 1.7e308]
const TEXTS = [
  '',
  'a',
  'ab',
  'AB',
  'b',
  '1',
  '1.50',
  ' 2 ',
  '0x1F',
  '1_0',
  'true',
  'F',
  'é',
  'É',
  '日',
  '😀',
  '\uffff',
  'x\ny',
  '1e400',
]
const LITERALS = [
  '1.50',
  '.5',
  '2.',
  '1e0',
  '0x2',
  '0b1',
  '1_000',
  '1e21',
  '0.1',
  '3',
  '100',
  '1e-7',
  '12345678901234567890123',
]
const PATTERNS = [
  'a',
  '^a',
  'B$',
  '^$',
  '.',
  'a|b',
  '[a-b]+',
  '^[^a]',
  '\\\\d',
  '\\\\w{2}',
  '^(ab?)*$',
  '\\\\y',
  'x.y',
  '^y',
  'é',
]

export interface Pair {
  readonly path: string
  readonly document: JsonValue
}

const { document: documents } = fc.letrec<{ document: JsonValue; scalar: JsonValue }>((tie) => ({
  scalar: fc.oneof(
    { arbitrary: fc.constantFrom<JsonValue>(...NUMBERS), weight: 4 },
    { arbitrary: fc.constantFrom<JsonValue>(...TEXTS), weight: 4 },
    fc.constantFrom<JsonValue>(null, true, false),
  ),
  document: fc.oneof(
    { maxDepth: 4 },
    tie('scalar'),
    fc.array(tie('document'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('document'), { maxKeys: 4 }),
  ),
}))

/** What may stand in a place of a path. */
interface Around {
  readonly depth: number
  readonly filter: boolean
  readonly subscript: boolean
}

const quoted = one(...TEXTS.map((text) => JSON.stringify(text)))
const numeral = fc.oneof(
  one(...NUMBERS.map(String).map((text) => text.replace('e+', 'e'))),
  one(...LITERALS),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((number) => String(number)),
)
const rounding = one(
  ...'double ceiling floor abs number integer bigint decimal'.split(' ').map((name) => `.${name}()`),
  ...['1, 1', '3', '4, 2', '20, 7', '9, -1', '5, 8'].map((args) => `.decimal(${args})`),
)
const scalar = fc.oneof(
  one(...NUMBERS.map(String).map((text) => text.replace('e+', 'e'))),
  one(...LITERALS),
  quoted,
  one('null', 'true', 'false'),
)
const key = one(...KEYS.map((name) => (/^[a-zé]+$/.test(name) ? `.${name}` : `.${JSON.stringify(name)}`)))
const method = one(
  ...'type size double ceiling floor abs number integer bigint decimal string boolean'
    .split(' ')
    .map((m) => `.${m}()`),
  '.keyvalue().size()',
  '.keyvalue().key',
  '.keyvalue().value',
  '.decimal(3)',
  '.decimal(4, 2)',
  '.decimal(2, -1)',
)
const level = one('0', '1', '2', 'last')

function accessor(around: Around): Text {
  const simple = [
    more(10, key),
    more(2, fc.constant('.*')),
    more(4, fc.constant('[*]')),
    more(1, fc.constant('.**')),
    more(1, join('.**{', level, '}')),
    more(1, join('.**{', level, ' to ', level, '}')),
    more(4, method),
  ]
  if (around.depth <= 0) return fc.oneof(...simple)
  const inner = { ...around, depth: around.depth - 1 }
  const index = value({ ...inner, subscript: true })
  const subscript = fc.oneof(more(4, one('0', '1', '-1', 'last', 'last - 1', '1.7')), more(1, index))
  return fc.oneof(
    ...simple,
    more(3, join('[', subscript, ']')),
    more(1, join('[', subscript, ' to ', subscript, ']')),
    more(1, join('[', subscript, ', ', subscript, ']')),
    more(6, join(' ? (', condition({ ...inner, filter: true }), ')')),
  )
}

function pathOf(around: Around): Text {
  const heads = ['$', ...(around.filter ? ['@', '@', '@'] : []), ...(around.subscript ? ['last'] : [])]
  return fc
    .tuple(one(...heads), fc.array(accessor(around), { maxLength: 4 }))
    .map(([head, steps]) => `${head}${steps.join('')}`)
}

function value(around: Around): Text {
  if (around.depth <= 0) return fc.oneof(more(2, pathOf(around)), more(1, scalar))
  const inner = { ...around, depth: around.depth - 1 }
  return fc.oneof(
    more(6, pathOf(around)),
    more(3, scalar),
    more(2, join('(', value(inner), one(' + ', ' - ', ' * ', ' / ', ' % '), value(inner), ')')),
    more(1, join(one('-', '+'), value(inner))),
    more(1, join('(', value(inner), ')', accessor(inner))),
    more(1, join('(', condition(inner), ')', one('.type()', '.string()', '.boolean()', ' ? (@ == true)'))),
  )
}

function condition(around: Around): Text {
  const inner = { ...around, depth: around.depth - 1 }
  const compared = join(
    value(inner),
    one(' == ', ' != ', ' <> ', ' < ', ' <= ', ' > ', ' >= '),
    fc.oneof(scalar, value(inner)),
  )
  const simple = [
    more(8, compared),
    more(1, join(value(inner), ' starts with ', quoted)),
    more(2, join(value(inner), ' like_regex "', one(...PATTERNS), '"', one(...REGEX_FLAGS))),
    more(2, join('exists (', value(inner), ')')),
  ]
  if (around.depth <= 0) return fc.oneof(...simple)
  return fc.oneof(
    ...simple,
    more(2, join('(', condition(inner), ') ', one('&&', '||'), ' (', condition(inner), ')')),
    more(1, join('!(', condition(inner), ')')),
    more(1, join('(', condition(inner), ') is unknown')),
  )
}

const top: Around = { depth: 2, filter: false, subscript: false }
const inFilter = { ...top, filter: true }
const modes = one('', '', 'lax ', 'strict ', 'strict ')
const paths = join(
  modes,
  fc.oneof(
    value(top),
    join('$ ? (', condition(inFilter), ')'),
    join('$ ? ((', condition(inFilter), ') is unknown)'),
    join('$ ? (!(', condition(inFilter), '))'),
  ),
)

export const pairs: fc.Arbitrary<Pair> = fc.record({ path: paths, document: documents })

/** Calculations with numbers alone, which mostly succeed. */
const { number: calculations } = fc.letrec<{ number: string }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 3 },
    more(3, numeral),
    more(2, fc.constant('$')),
    more(3, join('(', tie('number'), one(' + ', ' - ', ' * ', ' / ', ' / ', ' % '), tie('number'), ')')),
    more(1, join('(-', tie('number'), ')')),
    more(1, join('(', tie('number'), ')', rounding)),
  ),
}))

/** Values apart from their modes, so that more can be asked of them. */
export const values: fc.Arbitrary<Pair & { readonly mode: string }> = fc.oneof(
  fc.record({ mode: modes, path: value(top), document: documents }),
  fc.record({ mode: modes, path: calculations, document: fc.constantFrom(...NUMBERS) }),
)
