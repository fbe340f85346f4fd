import type { JsonValue } from '../../model/json.js'
import { parseTimestamp } from '../../model/time.js'
import { show } from '../../model/urn.js'
import type { Work, WorkBudget } from '../work.js'
import {
  comparison,
  type Literal,
  type Operator,
  operatorOf,
  similarity,
  type Truth,
  type ValueTest,
} from './compare.js'
import type { Field, Fields, FieldType } from './fields.js'
import { containsTest } from './like.js'
import { type Token, tokensOf } from './tokens.js'
import { wrong } from './wrong.js'

/** A compiled filter. It pauses in long texts, and between many comparisons. */
export type Test<R> = (record: R, budget: WorkBudget) => Work<Truth>
/** Maximum nesting of brackets and `not`. */
const MAX_DEPTH = 100

/**
 * ```
 * filter     = and ('or' and)*
 * and        = not ('and' not)*
 * not        = 'not' not | '(' filter ')' | comparison
 * comparison = field operator value | field 'in' '(' value (',' value)* ')' | field 'contains' value
 * ```
 */
export function parseFilter<R>(filter: string, fields: Fields<R>): Test<R> {
  const tokens = tokensOf(filter)
  let next = 0
  const peek = (): Token => tokens[next] ?? { kind: 'end', at: filter.length, text: '' }
  const take = (): Token => {
    const token = peek()
    next++
    return token
  }
  const isWord = (word: string): boolean => peek().kind === 'word' && peek().text.toLowerCase() === word

  const or = (depth: number): Test<R> => {
    const tests = [and(depth)]
    for (; isWord('or'); tests.push(and(depth))) take()
    return anyOf(tests)
  }
  const and = (depth: number): Test<R> => {
    const tests = [not(depth)]
    for (; isWord('and'); tests.push(not(depth))) take()
    return allOf(tests)
  }
  const not = (depth: number): Test<R> => {
    if (depth > MAX_DEPTH) throw wrong(peek().at, `it is nested more than ${MAX_DEPTH} deep`)
    if (isWord('not')) {
      take()
      return opposite(not(depth + 1))
    }
    if (peek().text === '(' && peek().kind === 'bracket') {
      take()
      const inside = or(depth + 1)
      const closing = take()
      if (closing.text !== ')') throw expected(closing, '")", and or or')
      return inside
    }
    return compared(fields, take)
  }

  const test = or(0)
  if (peek().kind !== 'end') throw expected(peek(), 'and, or, or the end')
  return test
}

function compared<R>(fields: Fields<R>, take: () => Token): Test<R> {
  const name = take()
  if (name.kind !== 'word') throw expected(name, 'a field, not or "("')
  const field = fields.find(name.text)
  if (field === undefined) throw wrong(name.at, `${show(name.text)} is none of ${fields.known}`)
  const scalar = (record: R) => scalarOf(field, name, record)
  const operator = take()
  const word = operator.kind === 'word' ? operator.text.toLowerCase() : ''
  if (word === 'contains') return containing(field, name, take())
  if (word === 'in') {
    const tests = listIn(take).map((value) => comparison('=', literalFor(field, name, 'in', value)))
    return valueTest(scalar, (of) => either(tests.map((test) => test(of))))
  }
  const op = operatorIn(operator)
  if (op === undefined) throw expected(operator, 'one of = != < <= > >= ~= eq ne lt le gt ge in contains')
  const literal = literalFor(field, name, op, take())
  if (op === '~=') {
    const test = similarity(String(literal))
    return (record, budget) => test(scalar(record), budget)
  }
  // `null` also tests whether a list is absent
  return valueTest(literal === null ? field.of : scalar, comparison(op, literal))
}

function valueTest<R>(read: Field<R>['of'], test: ValueTest): Test<R> {
  return function* (record, budget) {
    const of = read(record)
    if (budget.spend(typeof of === 'string' ? 1 + (of.length >> 8) : 1)) yield
    return test(of)
  }
}

/** @throws IvcapError `invalid-argument` for a list, for which a comparison would silently never match */
function scalarOf<R>(field: Field<R>, { text, at }: Token, record: R): JsonValue | undefined {
  const value = field.of(record)
  if (!Array.isArray(value)) return value
  throw wrong(at, `${text} is a list: ask whether it has a value, ${text} contains 'value'`)
}

/** Whether a list has the value, or a text contains it. */
function containing<R>(field: Field<R>, name: Token, value: Token): Test<R> {
  const literal = literalOf(value)
  if (literal === null) throw wrong(value.at, 'null, which stands for absent, goes with = and != only')
  if (field.type === 'number' || field.type === 'time')
    throw wrong(value.at, `contains is for lists and texts, and ${name.text} is a ${field.type}`)
  const isPart = containsTest(String(literal))
  return function* (record, budget) {
    const of = field.of(record)
    if (typeof of === 'string') return typeof literal === 'string' ? yield* isPart(of, budget) : undefined
    if (!Array.isArray(of)) return undefined
    if (budget.spend(1 + of.length)) yield
    return of.includes(literal)
  }
}

/** Parses a list of values in brackets. */
function listIn(take: () => Token): readonly Token[] {
  const opening = take()
  if (opening.text !== '(') throw expected(opening, "a list such as ('a', 'b')")
  const values: Token[] = []
  for (;;) {
    const value = take()
    if (value.kind === 'bracket') throw expected(value, 'a number, or a text in quotes')
    values.push(value)
    const next = take()
    if (next.text === ')' && next.kind === 'bracket') return values
    if (next.text !== ',' || next.kind !== 'bracket') throw expected(next, '"," or ")"')
  }
}

function either(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true
  return truths.includes(undefined) ? undefined : false
}

const operatorIn = ({ kind, text }: Token): Operator | undefined =>
  kind === 'operator' || kind === 'word' ? operatorOf(text) : undefined

/** The value, converted to the type of the field. */
function literalFor<R>({ type }: Field<R>, name: Token, operator: Operator | 'in', value: Token): Literal {
  const literal = literalOf(value)
  if (literal === null) {
    if (operator === '=' || operator === '!=') return null
    throw wrong(value.at, 'null, which stands for absent, goes with = and != only')
  }
  if (operator === '~=' && (type === 'number' || type === 'time'))
    throw wrong(value.at, `~= is for texts, and ${name.text} is a ${type}`)
  if (operator === '~=' && typeof literal !== 'string') throw expected(value, "a text such as 'Scott%'")
  if (type === 'any') return literal
  if (type === 'time') {
    const moment = typeof literal === 'string' ? parseTimestamp(literal) : undefined
    if (moment === undefined) throw expected(value, "an ISO 8601 time such as '2026-01-31T09:30:00Z'")
    return moment
  }
  if (typeof literal !== TYPES[type]) throw expected(value, EXAMPLES[type])
  return literal
}

const TYPES: Readonly<Record<Exclude<FieldType, 'any' | 'time'>, string>> = {
  text: 'string',
  number: 'number',
}
const EXAMPLES = { text: "a text in quotes, such as 'Scott'", number: 'a number' } as const

function literalOf(token: Token): Literal {
  if (token.kind === 'text' || token.kind === 'number') return token.value
  const word = token.kind === 'word' ? token.text.toLowerCase() : ''
  if (word === 'true' || word === 'false') return word === 'true'
  if (word === 'null') return null
  throw expected(token, 'a number, or a text in quotes')
}

function expected(found: Token, what: string) {
  return wrong(found.at, `expected ${what}, found ${found.kind === 'end' ? 'the end' : show(found.text)}`)
}

const opposite = <R>(test: Test<R>): Test<R> =>
  function* (record, budget) {
    const truth = yield* test(record, budget)
    return truth === undefined ? undefined : !truth
  }

function allOf<R>(tests: readonly Test<R>[]): Test<R> {
  return function* (record, budget) {
    let all: Truth = true
    for (const test of tests) {
      const truth = yield* test(record, budget)
      if (truth === false) return false
      if (truth === undefined) all = undefined
    }
    return all
  }
}

const anyOf = <R>(tests: readonly Test<R>[]): Test<R> => opposite(allOf(tests.map(opposite)))
