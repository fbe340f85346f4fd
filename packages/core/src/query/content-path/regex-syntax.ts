/** Reads PostgreSQL's regular expressions ("advanced" ones), as far as they can be matched in linear time. */
import { leftOut } from './refusal.js'
import { bracketed } from './regex-brackets.js'
import { type CharSet, casesOf, classOf, shorthandOf } from './regex-classes.js'
import type { RegexReader } from './regex-reader.js'

export type Regex =
  | { readonly type: 'set'; readonly has: CharSet }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Regex[] }
  | { readonly type: 'repeat'; readonly part: Regex; readonly min: number; readonly max: number }
  | { readonly type: 'between'; readonly holds: Boundary }

/** Whether a place between two characters is right; undefined stands for the beginning or the end of the text. */
export type Boundary = (before: number | undefined, after: number | undefined) => boolean

export interface RegexFlags {
  readonly ignoreCase: boolean
  /** `^` and `$` match at each line. */
  readonly lines: boolean
  /** `.` and sets that exclude something match newlines. */
  readonly dotAll: boolean
}

const NEWLINE = 10
const MAX_REPEATS = 255
const BOUNDS = /\{(\d+)(,?)(\d*)\}/y
const SPECIAL_GROUP = /\?(?:[=!#]|<[=!])/y
const EMBEDDED = /\*\*\*|\(\?[a-z]+\)/y
const isWord: Boundary = (char) => char !== undefined && classOf('word')?.(char) === true

/** Escapes that stand for a place rather than for a character. */
const BOUNDARIES: Record<string, Boundary> = {
  A: (before) => before === undefined,
  Z: (_, after) => after === undefined,
  m: (before, after) => !isWord(before, undefined) && isWord(after, undefined),
  M: (before, after) => isWord(before, undefined) && !isWord(after, undefined),
  y: (before, after) => isWord(before, undefined) !== isWord(after, undefined),
  Y: (before, after) => isWord(before, undefined) === isWord(after, undefined),
}

/** @throws IvcapError `invalid-argument` for what is wrong, `unsupported` for what would need more than linear time */
export function readRegex(reader: RegexReader, flags: RegexFlags): Regex {
  if (reader.match(EMBEDDED) !== null)
    throw leftOut('a regular expression with embedded options', 'use flag instead')
  const regex = choice(reader, flags)
  if (!reader.atEnd) throw reader.wrong('a closing parenthesis without an opening one')
  return regex
}

function choice(reader: RegexReader, flags: RegexFlags): Regex {
  const parts = [sequence(reader, flags)]
  while (reader.accept('|')) parts.push(sequence(reader, flags))
  return { type: 'choice', parts }
}

function sequence(reader: RegexReader, flags: RegexFlags): Regex {
  const parts: Regex[] = []
  while (!reader.atEnd && !reader.sees('|') && !reader.sees(')')) {
    const boundary = boundaryOf(reader, flags)
    parts.push(
      boundary === undefined ? repeated(reader, atom(reader, flags)) : { type: 'between', holds: boundary },
    )
  }
  return { type: 'sequence', parts }
}

function boundaryOf(reader: RegexReader, { lines }: RegexFlags): Boundary | undefined {
  if (reader.accept('^')) return (before) => before === undefined || (lines && before === NEWLINE)
  if (reader.accept('$')) return (_, after) => after === undefined || (lines && after === NEWLINE)
  const [, letter = ''] = reader.match(/\\([AZmMyY])/y) ?? []
  return BOUNDARIES[letter]
}

function atom(reader: RegexReader, flags: RegexFlags): Regex {
  if (reader.accept('(')) return reader.nested(() => group(reader, flags))
  if (reader.accept('[')) return { type: 'set', has: bracketed(reader, flags) }
  if (reader.accept('.')) return { type: 'set', has: (char) => flags.dotAll || char !== NEWLINE }
  if (reader.accept('\\')) {
    const [letter = ''] = reader.match(/[dswDSW]/y) ?? []
    return { type: 'set', has: shorthandOf(letter) ?? only(reader.escaped(), flags) }
  }
  if (reader.match(/(?=[*+?]|\{\d)/y) !== null) throw reader.wrong('there is nothing to repeat')
  return { type: 'set', has: only(reader.take(), flags) }
}

/** A set of one character. */
export function only(char: number, { ignoreCase }: Pick<RegexFlags, 'ignoreCase'>): CharSet {
  if (!ignoreCase) return (other) => other === char
  const variants = casesOf(char)
  return (other) => variants.includes(other)
}

function group(reader: RegexReader, flags: RegexFlags): Regex {
  if (reader.match(SPECIAL_GROUP) !== null)
    throw leftOut('a regular expression that looks ahead or behind, or has a comment', 'write it without')
  reader.accept('?:')
  const regex = choice(reader, flags)
  if (!reader.accept(')')) throw reader.wrong('a parenthesis is not closed')
  return regex
}

/** Whether something is greedy makes no difference to whether it matches. */
function repeated(reader: RegexReader, part: Regex): Regex {
  const [min, max] = bounds(reader) ?? []
  if (min === undefined || max === undefined) return part
  if (max < min || (max > MAX_REPEATS && max !== Number.POSITIVE_INFINITY) || min > MAX_REPEATS)
    throw reader.wrong(`a repetition is {m}, {m,} or {m,n} with numbers up to ${MAX_REPEATS}`)
  reader.accept('?')
  return { type: 'repeat', part, min, max }
}

function bounds(reader: RegexReader): readonly [number, number] | undefined {
  if (reader.accept('*')) return [0, Number.POSITIVE_INFINITY]
  if (reader.accept('+')) return [1, Number.POSITIVE_INFINITY]
  if (reader.accept('?')) return [0, 1]
  const found = reader.match(BOUNDS)
  if (found === null) {
    if (reader.match(/(?=\{\d)/y) !== null) throw reader.wrong('a repetition is {m}, {m,} or {m,n}')
    return undefined
  }
  const [, min = '', comma = '', max = ''] = found
  if (comma === '') return max === '' ? [Number(min), Number(min)] : undefined
  return [Number(min), max === '' ? Number.POSITIVE_INFINITY : Number(max)]
}
