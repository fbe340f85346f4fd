/** What stands in square brackets. */
import { leftOut } from './refusal.js'
import { type CharSet, casesOf, classOf, memoized, shorthandOf } from './regex-classes.js'
import type { RegexReader } from './regex-reader.js'

const NEWLINE = 10
const COLLATING = /\[[.=]|\[:[<>]:\]/y
const CLASS = /\[:([a-z]+):\]/y
const SHORTHAND = /\\([dswDSW])/y

/** Reads to the closing bracket; the opening one is taken already. */
export function bracketed(
  reader: RegexReader,
  { ignoreCase, dotAll }: { readonly ignoreCase: boolean; readonly dotAll: boolean },
): CharSet {
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

/** Looked up by halving, however many there are. */
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
    throw leftOut('a regular expression with collating elements', 'write the characters')
  const [, name] = reader.match(CLASS) ?? []
  if (name === undefined) {
    const [, letter = ''] = reader.match(SHORTHAND) ?? []
    return shorthandOf(letter)
  }
  const within = classOf(name)
  if (within === undefined) throw reader.wrong(`there is no class [:${name}:]`)
  return within
}

/** @param free whether a hyphen stands for itself here, whatever follows */
function charIn(reader: RegexReader, free: boolean): number {
  if (reader.accept('\\')) return reader.escaped()
  if (!free && reader.sees('-') && !reader.sees('-]')) throw reader.wrong('this is no range of characters')
  return reader.take()
}
