import { quote, syntaxError, unsupported } from './errors.js'
import { Decimal, type Operator } from './numbers/decimal.js'
import { regexTest } from './regex/matcher.js'
import { keyword, TokenReader } from './tokens.js'
import type { Comparison, Conversion, Item, Path, Predicate, Step, Subscript } from './tree.js'

export interface ParsedPath {
  /** Strict mode: a missing member or element is an error, and arrays are not unwrapped. */
  readonly strict: boolean
  readonly path: Path
}

/** As in PostgreSQL, arithmetic takes values only, and filters take conditions only. */
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
const CONVERSIONS: readonly Conversion[] = [
  'abs',
  'bigint',
  'boolean',
  'ceiling',
  'decimal',
  'double',
  'floor',
  'integer',
  'number',
  'string',
  'type',
]
const TIMES = ['datetime', 'date', 'time', 'time_tz', 'timestamp', 'timestamp_tz']
const MAX_INTEGER = 2 ** 31 - 1
const VALUE = 'a value such as $, @.key, "text" or 1'

/** @throws SqlJsonPathError `syntax`, `unsupported`, `too-large` */
export function parse(text: string): ParsedPath {
  const reader = new TokenReader(text)
  const strict = reader.accept('strict')
  if (!strict) reader.accept('lax')
  const whole = either(reader)
  if (reader.token.type !== 'end') throw reader.unexpected('an operator or the end')
  const path: Path = 'value' in whole ? whole.value : [{ type: 'predicate', predicate: whole.condition }]
  return { strict, path }
}

/** A value between brackets. */
const nestedValue = (reader: TokenReader): Path => reader.nested(() => valueIn(reader, sum(reader)))

/** A condition between brackets. */
const nestedCondition = (reader: TokenReader): Predicate =>
  reader.nested(() => conditionIn(reader, either(reader)))

function valueIn(reader: TokenReader, expression: Expression): Path {
  if ('value' in expression) return expression.value
  throw reader.unexpected('&&, || or a closing parenthesis')
}

function conditionIn(reader: TokenReader, expression: Expression): Predicate {
  if ('condition' in expression) return expression.condition
  throw reader.unexpected('a comparison such as ==')
}

function either(reader: TokenReader): Expression {
  let left = both(reader)
  while (reader.at('||')) {
    const first = conditionIn(reader, left)
    reader.take()
    left = { condition: { type: 'or', left: first, right: conditionIn(reader, both(reader)) } }
  }
  return left
}

function both(reader: TokenReader): Expression {
  let left = comparison(reader)
  while (reader.at('&&')) {
    const first = conditionIn(reader, left)
    reader.take()
    left = { condition: { type: 'and', left: first, right: conditionIn(reader, comparison(reader)) } }
  }
  return left
}

function comparison(reader: TokenReader): Expression {
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

function quoted(reader: TokenReader): string {
  if (reader.token.type !== 'text') throw reader.unexpected('a text in double quotes')
  return reader.take().value
}

const sum = (reader: TokenReader): Expression => arithmetic(reader, SUMS, product)
const product = (reader: TokenReader): Expression => arithmetic(reader, PRODUCTS, signed)

function arithmetic(
  reader: TokenReader,
  operators: readonly Operator[],
  operand: (reader: TokenReader) => Expression,
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

function signed(reader: TokenReader): Expression {
  const negative = reader.at('-')
  if (!negative && !reader.at('+')) return reader.accept('!') ? negation(reader) : primary(reader)
  reader.take()
  const operand = reader.nested(() => valueIn(reader, signed(reader)))
  return { value: [{ type: 'sign', negative, operand }] }
}

/** `!` applies to a condition in parentheses, or to `exists (…)`. */
function negation(reader: TokenReader): Expression {
  if (reader.at('exists')) return { condition: { type: 'not', of: existence(reader) } }
  reader.expect('(')
  const of = nestedCondition(reader)
  reader.expect(')')
  return { condition: { type: 'not', of } }
}

function existence(reader: TokenReader): Predicate {
  reader.expect('exists')
  reader.expect('(')
  const path = nestedValue(reader)
  reader.expect(')')
  return { type: 'exists', path }
}

function primary(reader: TokenReader): Expression {
  if (reader.at('exists')) return { condition: existence(reader) }
  if (!reader.accept('(')) return { value: [...head(reader), ...accessors(reader)] }
  const expression = reader.nested(() => either(reader))
  reader.expect(')')
  const steps = accessors(reader)
  if ('value' in expression) return { value: [...expression.value, ...steps] }
  if (steps.length > 0) return { value: [{ type: 'predicate', predicate: expression.condition }, ...steps] }
  if (!reader.accept('is')) return expression
  reader.expect('unknown')
  return { condition: { type: 'isUnknown', of: expression.condition } }
}

/** The first step of a path. */
function head(reader: TokenReader): Path {
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

function literal(reader: TokenReader, value: Item): Path {
  reader.take()
  return [{ type: 'literal', value }]
}

function numberOf(value: string, source: string, at: number): Item {
  // if JSON writes the number in the same way, it needs no exact arithmetic
  if (String(Number(value)) === value) return Number(value)
  const decimal = /^0[box]/i.test(value) ? Decimal.of(BigInt(value), 0) : Decimal.parse(value)
  if (decimal === undefined) throw syntaxError(at, `the number ${source} is too large or too small`)
  return decimal
}

/** The steps after a value: `.key`, `.*`, `.**`, `.method()`, `[…]`, `? (…)`. */
function accessors(reader: TokenReader): Path {
  const steps: Step[] = []
  for (;;) {
    if (reader.accept('.')) steps.push(member(reader))
    else if (reader.accept('[')) steps.push(subscript(reader))
    else if (reader.accept('?')) steps.push(filter(reader))
    else return steps
  }
}

function member(reader: TokenReader): Step {
  if (reader.accept('*')) return { type: 'anyKey' }
  if (reader.accept('**')) return descent(reader)
  const { token, following } = reader
  if (token.type !== 'word' && token.type !== 'text') throw reader.unexpected('a key, *, ** or a method')
  reader.take()
  if (token.type === 'text' || following.type !== 'symbol' || following.value !== '(')
    return { type: 'key', key: token.value }
  return method(reader, keyword(token) ?? '', token.at)
}

function method(reader: TokenReader, name: string, position: number): Step {
  if (TIMES.includes(name)) throw unsupported(position, `.${name}()`, 'compare times as texts')
  const conversion = CONVERSIONS.find((known) => known === name)
  if (conversion === undefined && name !== 'size' && name !== 'keyvalue')
    throw reader.unexpected(`no parenthesis, as ${quote(name)} is no method,`)
  reader.expect('(')
  const args = name === 'decimal' ? decimalArguments(reader) : []
  reader.expect(')')
  if (name === 'size' || name === 'keyvalue') return { type: name }
  return { type: 'convert', method: conversion ?? 'type', args }
}

/** Precision and scale, both optional. */
function decimalArguments(reader: TokenReader): readonly number[] {
  if (reader.at(')')) return []
  const precision = signedInteger(reader)
  return reader.accept(',') ? [precision, signedInteger(reader)] : [precision]
}

function signedInteger(reader: TokenReader): number {
  if (reader.accept('-')) return -integer(reader)
  reader.accept('+')
  return integer(reader)
}

/** `.**{2}`, `.**{1 to last}`: levels below the item; `.**` is all levels. */
function descent(reader: TokenReader): Step {
  if (!reader.accept('{')) return { type: 'descend', first: 0, last: Number.POSITIVE_INFINITY }
  const first = level(reader)
  const last = reader.accept('to') ? level(reader) : first
  reader.expect('}')
  return { type: 'descend', first, last }
}

const level = (reader: TokenReader): number =>
  reader.accept('last') ? Number.POSITIVE_INFINITY : integer(reader, ' or last')

function integer(reader: TokenReader, otherwise = ''): number {
  const { type, value, at } = reader.token
  if (type !== 'number' || !/^(0[box])?[\da-f]+$/i.test(value) || /^\d+e/i.test(value))
    throw reader.unexpected(`a whole number${otherwise}`)
  reader.take()
  const number = Number(value)
  if (number > MAX_INTEGER) throw syntaxError(at, `at most ${MAX_INTEGER} is allowed here`)
  return number
}

function subscript(reader: TokenReader): Step {
  if (reader.at('*')) {
    reader.take()
    reader.expect(']')
    return { type: 'anyItem' }
  }
  reader.subscripts += 1
  const subscripts: Subscript[] = []
  do {
    const from = nestedValue(reader)
    subscripts.push(reader.accept('to') ? { from, to: nestedValue(reader) } : { from })
  } while (reader.accept(','))
  reader.subscripts -= 1
  reader.expect(']')
  return { type: 'index', subscripts }
}

function filter(reader: TokenReader): Step {
  reader.expect('(')
  reader.filters += 1
  const step: Step = { type: 'filter', condition: nestedCondition(reader) }
  reader.filters -= 1
  reader.expect(')')
  return step
}
