/** Translates conditions to a content path that selects the same contents. All backends and deployments support content paths. */
import { IvcapError } from '../../model/errors.js'
import { isPlain } from '../../model/options.js'
import { show } from '../../model/urn.js'

const COMPARISONS: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' }
const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'exists', 'startsWith', 'like', 'matches']
const MAX_NESTING = 50
/** Maximum characters of a content path, see `@ivcap/sql-json-path`. */
const MAX_PATH_LENGTH = 10_000
/** A segment of a path: quoted (group 1) or plain (group 2). */
const SEGMENT = /(?:"((?:[^"\\]|\\.)*)"|([^".]+))(\.|$)/sy
/** Names that need no quotes in a content path. Keywords of the path language are excluded. */
const PLAIN =
  /^(?!(?:exists|flag|is|last|lax|like_regex|starts|strict|to|unknown|with|true|false|null)$)[A-Za-z_]\w*$/
const SPECIAL_IN_REGEX = /[\\^$.*+?()[\]{}|]/g

/**
 * The content path for conditions; undefined if there are none.
 *
 * @param where see `Where`
 * @param argument name of the argument, for error messages
 * @throws IvcapError `invalid-argument`, with the position of the error: an unknown operator, a value of the wrong type, or an
 * empty list
 */
export function pathOfWhere(where: unknown, argument = 'where'): string | undefined {
  const condition = allOf(where, argument, 0)
  if (condition === undefined) return undefined
  const path = `$ ? (${condition})`
  if (path.length <= MAX_PATH_LENGTH) return path
  throw invalid(
    argument,
    `makes a content path of ${path.length} characters, and the most are ${MAX_PATH_LENGTH}: ask in several calls`,
  )
}

/** Joins all conditions of one object; undefined if it has none. */
function allOf(where: unknown, place: string, depth: number): string | undefined {
  if (!isObject(where)) throw invalid(place, `must be an object of conditions, not ${show(where)}`)
  if (depth > MAX_NESTING) throw invalid(place, `is nested more than ${MAX_NESTING} levels deep`)
  const conditions = Object.entries(where).map(([key, value]) => {
    const inner = `${place}.${key}`
    if (key === 'and') return joined(value, inner, '&&', depth)
    if (key === 'or') return joined(value, inner, '||', depth)
    if (key === 'not') return not(required(value, inner, depth))
    return ofField(accessorOf(key, place), value, inner)
  })
  return conditions.length === 0 ? undefined : conditions.join(' && ')
}

function joined(value: unknown, place: string, operator: '&&' | '||', depth: number): string {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(place, `must be a list of conditions with at least one, not ${show(value)}`)
  return `(${value.map((item, i) => `(${required(item, `${place}[${i}]`, depth)})`).join(` ${operator} `)})`
}

function required(value: unknown, place: string, depth: number): string {
  const condition = allOf(value, place, depth + 1)
  if (condition === undefined) throw invalid(place, 'has no condition: leave it out, or name a field')
  return condition
}

/** Negation that is true or false. A plain `!(…)` is unknown, so not true, if values of different types are compared. */
const not = (condition: string): string => `!exists(@ ? (${condition}))`

/** Converts `a.b` to `@.a.b`. */
function accessorOf(path: string, place: string): string {
  let accessor = '@'
  let end = path === '' ? 1 : 0
  SEGMENT.lastIndex = 0
  while (end < path.length) {
    const [whole, quoted, bare = '', dot] = SEGMENT.exec(path) ?? []
    if (whole === undefined) break
    end += whole.length
    // a trailing dot is invalid: a segment must follow
    if (dot === '.' && end === path.length) break
    const name = quoted === undefined ? bare : unquoted(quoted, `${place}.${path}`)
    accessor += `.${PLAIN.test(name) ? name : literal(name, `${place}.${path}`)}`
    if (dot === '') return accessor
  }
  throw invalid(
    place,
    `has the key ${show(path)}, which is no path to a field: write fields separated by dots, and one with other characters in double quotes, e.g. ${show('"a.b".c')}`,
  )
}

function unquoted(text: string, place: string): string {
  try {
    return String(JSON.parse(`"${text}"`))
  } catch (cause) {
    throw invalid(place, `has a field in quotes that is no JSON text: "${text}"`, cause)
  }
}

function ofField(field: string, value: unknown, place: string): string {
  if (!isObject(value)) return `${field} == ${literal(value, place)}`
  const { flags, ...operators } = value
  if (flags !== undefined && operators['matches'] === undefined)
    throw invalid(`${place}.flags`, 'belongs to matches, which is not there')
  const conditions = Object.entries(operators).map(([operator, operand]) =>
    operator === 'matches'
      ? matching(field, operand, flags, place)
      : ofOperator(field, operator, operand, `${place}.${operator}`),
  )
  if (conditions.length > 0) return conditions.join(' && ')
  throw invalid(place, `has no operator: give a value, or one of ${OPERATORS.join(', ')}`)
}

function ofOperator(field: string, operator: string, operand: unknown, place: string): string {
  const comparison = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined
  if (comparison !== undefined) {
    if (typeof operand !== 'number' && typeof operand !== 'bigint' && typeof operand !== 'string')
      throw invalid(place, `must be a number or a text, not ${show(operand)}`)
    return `${field} ${comparison} ${literal(operand, place)}`
  }
  switch (operator) {
    case 'eq':
      return `${field} == ${literal(operand, place)}`
    case 'ne':
      return `exists(${field}) && ${not(`${field} == ${literal(operand, place)}`)}`
    case 'in':
      return anyOf(field, operand, place)
    case 'exists':
      if (typeof operand !== 'boolean') throw invalid(place, `must be true or false, not ${show(operand)}`)
      return `${operand ? '' : '!'}exists(${field})`
    case 'startsWith':
      return `${field} starts with ${literal(textOf(operand, place), place)}`
    case 'like':
      return `${field} like_regex ${literal(regexOfLike(textOf(operand, place), place), place)} flag "s"`
  }
  throw invalid(
    place,
    `is no operator: these are ${OPERATORS.join(', ')}. For a field of an object, write its path as the key, e.g. ${show('site.name')}`,
  )
}

function anyOf(field: string, operand: unknown, place: string): string {
  if (!Array.isArray(operand) || operand.length === 0)
    throw invalid(place, `must be a list with at least one value, not ${show(operand)}`)
  return `(${operand.map((value, i) => `${field} == ${literal(value, `${place}[${i}]`)}`).join(' || ')})`
}

function matching(field: string, pattern: unknown, flags: unknown, place: string): string {
  const regex = `${field} like_regex ${literal(textOf(pattern, `${place}.matches`), `${place}.matches`)}`
  if (flags === undefined) return regex
  if (typeof flags !== 'string' || !/^[imsq]*$/.test(flags))
    throw invalid(`${place}.flags`, `must be of the letters i, m, s and q, not ${show(flags)}`)
  return flags === '' ? regex : `${regex} flag "${flags}"`
}

/** @throws IvcapError `invalid-argument` for a pattern that ends with a single backslash */
function regexOfLike(pattern: string, place: string): string {
  const regex = pattern.replace(/\\([\s\S]?)|%|_|[\s\S]/g, (part, escaped?: string) => {
    if (part === '%') return '.*'
    if (part === '_') return '.'
    if (escaped === '') throw invalid(place, 'ends with a single backslash: write two for one in the text')
    return (escaped ?? part).replace(SPECIAL_IN_REGEX, '\\$&')
  })
  return `^${regex}$`
}

function textOf(value: unknown, place: string): string {
  if (typeof value === 'string') return value
  throw invalid(place, `must be a text, not ${show(value)}`)
}

/** Writes a value as a literal of a content path. */
function literal(value: unknown, place: string): string {
  if (typeof value === 'string') {
    if (!/\0|\p{Surrogate}/u.test(value)) return JSON.stringify(value)
    throw invalid(place, 'has a character that no content can have: NUL, or half of a surrogate pair')
  }
  if (typeof value === 'bigint' || Number.isFinite(value)) return String(value)
  if (value === null || typeof value === 'boolean') return String(value)
  const remedy = Array.isArray(value)
    ? ': for any of several values, use in'
    : value instanceof Date
      ? ': contents have times as texts, so use toISOString()'
      : ''
  throw invalid(place, `must be a text, a number, true, false or null, not ${show(value)}${remedy}`)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && isPlain(value)

const invalid = (place: string, problem: string, cause?: unknown): IvcapError =>
  new IvcapError('invalid-argument', `${place} ${problem}`, {
    argument: 'where',
    ...(cause !== undefined && { cause }),
  })
