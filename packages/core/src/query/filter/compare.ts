import type { JsonValue } from '../../model/json.js'
import type { Work, WorkBudget } from '../work.js'
import { containsTest, likeTest } from './like.js'

/** `undefined` means unknown, as in SQL: an absent value is neither equal to a value nor different from it. */
export type Truth = boolean | undefined
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~='

const OPERATORS: Readonly<Record<string, Operator>> = {
  '=': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '~=': '~=',
  eq: '=',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}

/** The operator for a symbol or an OData word. */
export const operatorOf = (text: string): Operator | undefined =>
  Object.hasOwn(OPERATORS, text.toLowerCase()) ? OPERATORS[text.toLowerCase()] : undefined

export type Literal = string | number | boolean | null

export type ValueTest = (value: JsonValue | undefined) => Truth

/** The test of `value ~= text`: LIKE if the text has a `%`, otherwise whether the value contains the text. */
export function similarity(text: string): (value: JsonValue | undefined, budget: WorkBudget) => Work<Truth> {
  const test = text.includes('%') ? likeTest(text) : containsTest(text)
  return function* (value, budget) {
    return typeof value === 'string' ? yield* test(value, budget) : undefined
  }
}

/** The test of `value operator literal`. */
export function comparison(operator: Exclude<Operator, '~='>, literal: Literal): ValueTest {
  if (literal === null) {
    const absent = (value: JsonValue | undefined) => value === undefined || value === null
    return operator === '=' ? absent : (value) => !absent(value)
  }
  const holds = HOLDS[operator]
  return (value) => {
    if (value === undefined || value === null) return undefined
    if (typeof value === typeof literal && typeof value !== 'object')
      return holds(value === literal ? 0 : value < literal ? -1 : 1)
    // values of different types are unequal and have no order
    if (operator === '=' || operator === '!=') return operator === '!='
    return undefined
  }
}

const HOLDS: Readonly<Record<Exclude<Operator, '~='>, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}
