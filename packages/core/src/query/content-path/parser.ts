import { accessors, type Inside } from './accessors.js'
import { Decimal, type Operator } from './decimal.js'
import { Reader } from './reader.js'
import { syntaxError } from './refusal.js'
import { regexTest } from './regex.js'
import type { Comparison, Item, Path, Predicate } from './tree.js'

export interface ContentPath {
  /** Structural errors are errors, and arrays are not unwrapped by themselves. */
  readonly strict: boolean
  readonly path: Path
}

/** PostgreSQL keeps the two apart: only values have operators, only conditions stand in filters. */
type Expression = { readonly value: Path } | { readonly condition: Predicate }

const COMPARISONS: Record<string, Comparison> = {
  '==': '==',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}
const SUMS: readonly Operator[] = ['+', '-']
const PRODUCTS: readonly Operator[] = ['*', '/', '%']
const CONSTANTS = [null, true, false]
const VALUE = 'a value such as $, @.key, "text" or 1'

/** @throws IvcapError `invalid-argument` with position and expectation, or `unsupported` for what is left out */
export function parse(text: string): ContentPath {
  const reader = new Reader(text)
  const strict = reader.accept('strict')
  if (!strict) reader.accept('lax')
  const whole = either(reader)
  if (reader.token.type !== 'end') throw reader.unexpected('an operator or the end')
  const path: Path = 'value' in whole ? whole.value : [{ type: 'predicate', predicate: whole.condition }]
  return { strict, path }
}

const inside: Inside = {
  value: (reader) => reader.nested(() => valueIn(reader, sum(reader))),
  condition: (reader) => reader.nested(() => conditionIn(reader, either(reader))),
}

function valueIn(reader: Reader, expression: Expression): Path {
  if ('value' in expression) return expression.value
  throw reader.unexpected('&&, || or a closing parenthesis')
}

function conditionIn(reader: Reader, expression: Expression): Predicate {
  if ('condition' in expression) return expression.condition
  throw reader.unexpected('a comparison such as ==')
}

function either(reader: Reader): Expression {
  let left = both(reader)
  while (reader.at('||')) {
    const first = conditionIn(reader, left)
    reader.take()
    left = { condition: { type: 'or', left: first, right: conditionIn(reader, both(reader)) } }
  }
  return left
}

function both(reader: Reader): Expression {
  let left = comparison(reader)
  while (reader.at('&&')) {
    const first = conditionIn(reader, left)
    reader.take()
    left = { condition: { type: 'and', left: first, right: conditionIn(reader, comparison(reader)) } }
  }
  return left
}

function comparison(reader: Reader): Expression {
  const left = sum(reader)
  const { type, value } = reader.token
  const operator = type === 'symbol' ? COMPARISONS[value] : undefined
  if (operator !== undefined) {
    const first = valueIn(reader, left)
    reader.take()
    const right = valueIn(reader, sum(reader))
    return { condition: { type: 'compare', operator, left: first, right } }
  }
  if (reader.at('starts')) {
    const text = valueIn(reader, left)
    reader.take()
    reader.expect('with')
    return { condition: { type: 'startsWith', text, start: quoted(reader) } }
  }
  if (reader.at('like_regex')) {
    const text = valueIn(reader, left)
    reader.take()
    const { at } = reader.token
    const pattern = quoted(reader)
    const flags = reader.accept('flag') ? quoted(reader) : ''
    return { condition: { type: 'likeRegex', text, matches: regexTest(pattern, flags, at, reader.regexes) } }
  }
  return left
}

function quoted(reader: Reader): string {
  if (reader.token.type !== 'text') throw reader.unexpected('a text in double quotes')
  return reader.take().value
}

const sum = (reader: Reader): Expression => arithmetic(reader, SUMS, product)
const product = (reader: Reader): Expression => arithmetic(reader, PRODUCTS, signed)

function arithmetic(
  reader: Reader,
  operators: readonly Operator[],
  operand: (reader: Reader) => Expression,
): Expression {
  let left = operand(reader)
  for (;;) {
    const operator = operators.find((symbol) => reader.at(symbol))
    if (operator === undefined) return left
    const first = valueIn(reader, left)
    reader.take()
    const right = valueIn(reader, operand(reader))
    left = { value: [{ type: 'arithmetic', operator, left: first, right }] }
  }
}

function signed(reader: Reader): Expression {
  const negative = reader.at('-')
  if (!negative && !reader.at('+')) return reader.accept('!') ? negation(reader) : primary(reader)
  reader.take()
  const operand = reader.nested(() => valueIn(reader, signed(reader)))
  return { value: [{ type: 'sign', negative, operand }] }
}

/** `!` takes what is in parentheses, and no more. */
function negation(reader: Reader): Expression {
  if (reader.at('exists')) return { condition: { type: 'not', of: existence(reader) } }
  reader.expect('(')
  const of = inside.condition(reader)
  reader.expect(')')
  return { condition: { type: 'not', of } }
}

function existence(reader: Reader): Predicate {
  reader.expect('exists')
  reader.expect('(')
  const path = inside.value(reader)
  reader.expect(')')
  return { type: 'exists', path }
}

function primary(reader: Reader): Expression {
  if (reader.at('exists')) return { condition: existence(reader) }
  if (!reader.accept('(')) return { value: [...head(reader), ...accessors(reader, inside)] }
  const expression = reader.nested(() => either(reader))
  reader.expect(')')
  const steps = accessors(reader, inside)
  if ('value' in expression) return { value: [...expression.value, ...steps] }
  if (steps.length > 0) return { value: [{ type: 'predicate', predicate: expression.condition }, ...steps] }
  if (!reader.accept('is')) return expression
  reader.expect('unknown')
  return { condition: { type: 'isUnknown', of: expression.condition } }
}

/** What a path begins with. */
function head(reader: Reader): Path {
  const { type, value, source, at } = reader.token
  if (type === 'text') return literal(reader, value)
  if (type === 'number') return literal(reader, numberOf(value, source, at))
  const constant = type === 'word' ? CONSTANTS.find((known) => String(known) === value) : undefined
  if (constant !== undefined) return literal(reader, constant)
  if (reader.accept('$')) return [{ type: 'root' }]
  if (reader.accept('@')) {
    if (reader.filters > 0) return [{ type: 'current' }]
    throw syntaxError(at, '@ means something inside a filter only: use $ here')
  }
  if (reader.accept('last')) {
    if (reader.subscripts > 0) return [{ type: 'last' }]
    throw syntaxError(at, 'last means something inside a subscript only')
  }
  throw reader.unexpected(VALUE)
}

function literal(reader: Reader, value: Item): Path {
  reader.take()
  return [{ type: 'literal', value }]
}

function numberOf(value: string, source: string, at: number): Item {
  // a number that JSON would write in the same way needs no exact arithmetic to be compared
  if (String(Number(value)) === value) return Number(value)
  const decimal = /^0[box]/i.test(value) ? Decimal.of(BigInt(value), 0) : Decimal.parse(value)
  if (decimal === undefined) throw syntaxError(at, `the number ${source} is too large or too small`)
  return decimal
}
