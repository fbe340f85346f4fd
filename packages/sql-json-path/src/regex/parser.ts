/** Parses PostgreSQL's "advanced" regular expressions, except for parts that can't be matched in linear time. */
import { MAX_NESTING, syntaxError, unsupported } from '../errors.js'
import { type CharSet, casesOf, classOf, memoized, shorthandOf } from './char-sets.js'

export type Regex =
  | { readonly type: 'set'; readonly has: CharSet }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Regex[] }
  | { readonly type: 'repeat'; readonly part: Regex; readonly min: number; readonly max: number }
  | { readonly type: 'between'; readonly holds: Boundary }

/** A test of a position between two characters; undefined stands for the beginning or the end of the text. */
export type Boundary = (before: number | undefined, after: number | undefined) => boolean

export interface RegexFlags {
  readonly ignoreCase: boolean
  /** `^` and `$` match at each line. */
  readonly lines: boolean
  /** `.` and negated sets match newlines. */
  readonly dotAll: boolean
}

const NEWLINE = 10
const MAX_REPEATS = 255
const BOUNDS = /\{(\d+)(,?)(\d*)\}/y
const SPECIAL_GROUP = /\?(?:[=!#]|<[=!])/y
const EMBEDDED = /\*\*\*|\(\?[a-z]+\)/y
const COLLATING = /\[[.=]|\[:[<>]:\]/y
const CLASS = /\[:([a-z]+):\]/y
const SHORTHAND = /\\([dswDSW])/y

/** Letters after a backslash that stand for one character. */
const CONTROLS: Record<string, number> = { a: 7, b: 8, B: 92, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 }
/** Escapes with a character's number. */
const HEXADECIMAL = /x([\dA-Fa-f]+)|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})/y
const OCTAL = /0[0-7]{0,2}/y
const LAST_CHAR = 0x10ffff

const isWord: Boundary = (char) => char !== undefined && classOf('word')?.(char) === true

/** Escapes that match a position. */
const BOUNDARIES: Record<string, Boundary> = {
  A: (before) => before === undefined,
  Z: (_, after) => after === undefined,
  m: (before, after) => !isWord(before, undefined) && isWord(after, undefined),
  M: (before, after) => isWord(before, undefined) && !isWord(after, undefined),
  y: (before, after) => isWord(before, undefined) !== isWord(after, undefined),
  Y: (before, after) => isWord(before, undefined) === isWord(after, undefined),
}

/** @throws SqlJsonPathError `syntax`, or `unsupported` for parts that can't be matched in linear time */
export function readRegex(reader: RegexReader, flags: RegexFlags): Regex {
  if (reader.match(EMBEDDED) !== null)
    throw reader.unsupported('a regular expression with embedded options', 'use flag instead')
  const regex = choice(reader, flags)
  if (!reader.atEnd) throw reader.wrong('a closing parenthesis without an opening one')
  return regex
}

/** Each character stands for itself. */
export function readLiteral(reader: RegexReader, flags: RegexFlags): Regex {
  const parts: Regex[] = []
  while (!reader.atEnd) parts.push({ type: 'set', has: only(reader.take(), flags) })
  return { type: 'sequence', parts }
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
function only(char: number, { ignoreCase }: Pick<RegexFlags, 'ignoreCase'>): CharSet {
  if (!ignoreCase) return (other) => other === char
  const variants = casesOf(char)
  return (other) => variants.includes(other)
}

function group(reader: RegexReader, flags: RegexFlags): Regex {
  if (reader.match(SPECIAL_GROUP) !== null)
    throw reader.unsupported(
      'a regular expression that looks ahead or behind, or has a comment',
      'write it without',
    )
  reader.accept('?:')
  const regex = choice(reader, flags)
  if (!reader.accept(')')) throw reader.wrong('a parenthesis is not closed')
  return regex
}

/** Greediness is ignored: it doesn't affect whether the pattern matches. */
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

/** Reads to the closing bracket, after the opening one. */
function bracketed(reader: RegexReader, { ignoreCase, dotAll }: RegexFlags): CharSet {
  const negated = reader.accept('^')
  const classes = new Set<CharSet>()
  const ranges: Range[] = []
  let first = true
  do {
    const part = partIn(reader, first)
    if (typeof part === 'function') classes.add(part)
    else ranges.push(part)
    first = false
  } while (!reader.accept(']'))
  const inRanges = rangesTest(ranges)
  const has: CharSet = (char) => {
    const variants = ignoreCase ? casesOf(char) : [char]
    return variants.some((variant) => inRanges(variant) || [...classes].some((within) => within(variant)))
  }
  return memoized(negated ? (char) => !has(char) && (dotAll || char !== NEWLINE) : has)
}

type Range = readonly [from: number, to: number]

function partIn(reader: RegexReader, first: boolean): CharSet | Range {
  const within = classIn(reader)
  const from = within === undefined ? charIn(reader, first) : -1
  if (reader.sees('-]') || !reader.accept('-')) return within ?? [from, from]
  const to = classIn(reader) === undefined ? charIn(reader, true) : -1
  if (within !== undefined || to < from) throw reader.wrong('this is no range of characters')
  return [from, to]
}

/** Looks characters up by binary search. */
function rangesTest(ranges: readonly Range[]): CharSet {
  const joined: [from: number, to: number][] = []
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else joined.push([from, to])
  }
  return (char) => {
    let [low, high] = [0, joined.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const [from, to] = joined[middle] ?? [0, 0]
      if (char < from) high = middle
      else if (char > to) low = middle + 1
      else return true
    }
    return false
  }
}

function classIn(reader: RegexReader): CharSet | undefined {
  if (reader.match(COLLATING) !== null)
    throw reader.unsupported('a regular expression with collating elements', 'write the characters')
  const [, name] = reader.match(CLASS) ?? []
  if (name === undefined) {
    const [, letter = ''] = reader.match(SHORTHAND) ?? []
    return shorthandOf(letter)
  }
  const within = classOf(name)
  if (within === undefined) throw reader.wrong(`there is no class [:${name}:]`)
  return within
}

/** @param free whether a hyphen stands for itself here */
function charIn(reader: RegexReader, free: boolean): number {
  if (reader.accept('\\')) return reader.escaped()
  if (!free && reader.sees('-') && !reader.sees('-]')) throw reader.wrong('this is no range of characters')
  return reader.take()
}

/** Reads the characters of a regular expression in order. */
export class RegexReader {
  readonly #pattern: string
  /** Offset of the regular expression in the path. */
  readonly #at: number
  #next = 0
  #nesting = 0

  constructor(pattern: string, at: number) {
    this.#pattern = pattern
    this.#at = at
  }

  get atEnd(): boolean {
    return this.#next >= this.#pattern.length
  }

  /** Takes this text if it comes next. */
  accept(text: string): boolean {
    const found = this.#pattern.startsWith(text, this.#next)
    if (found) this.#next += text.length
    return found
  }

  /** Whether this text comes next. */
  sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#next)
  }

  /** Takes the match of a sticky pattern at this position. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#next
    const found = pattern.exec(this.#pattern)
    this.#next += found?.[0].length ?? 0
    return found
  }

  /** Takes any one character. */
  take(): number {
    const char = this.#pattern.codePointAt(this.#next)
    if (char === undefined) throw this.wrong('it ends too early')
    this.#next += char > 0xffff ? 2 : 1
    return char
  }

  /** Takes an escape that stands for one character, after its backslash. */
  escaped(): number {
    const hexadecimal = this.match(HEXADECIMAL)
    const octal = hexadecimal ?? this.match(OCTAL)
    if (octal !== null) {
      const [all, ...digits] = octal
      const char = hexadecimal ? Number.parseInt(digits.join(''), 16) : Number.parseInt(all, 8)
      if (char > LAST_CHAR) throw this.wrong('this escape is no character')
      return char
    }
    if (this.accept('c')) return this.take() & 31
    const char = this.take()
    const letter = String.fromCodePoint(char)
    if (/[1-9]/.test(letter))
      throw this.unsupported('a regular expression with a back reference', 'write it without')
    if (!/[A-Za-z]/.test(letter)) return char
    const control = CONTROLS[letter]
    if (control === undefined) throw this.wrong(`there is no escape \\${letter}`)
    return control
  }

  unsupported(what: string, remedy: string): Error {
    return unsupported(this.#at, what, remedy)
  }

  wrong(problem: string): Error {
    return syntaxError(
      this.#at,
      `the regular expression is wrong at its character ${this.#next + 1}: ${problem}`,
    )
  }

  nested<T>(read: () => T): T {
    if (this.#nesting === MAX_NESTING) throw this.wrong(`more than ${MAX_NESTING} levels of nesting`)
    this.#nesting += 1
    const result = read()
    this.#nesting -= 1
    return result
  }
}
