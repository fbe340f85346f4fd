/** What stands in square brackets. */
import { leftOut } from './refusal.js'
import { type CharSet, casesOf, classOf, shorthandOf } from './regex-classes.js'
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
  const sets: CharSet[] = []
  do sets.push(part(reader, sets.length === 0))
  while (!reader.accept(']'))
  const has: CharSet = (char) => {
    const variants = ignoreCase ? casesOf(char) : [char]
    return variants.some((variant) => sets.some((within) => within(variant)))
  }
  return negated ? (char) => !has(char) && (dotAll || char !== NEWLINE) : has
}

function part(reader: RegexReader, first: boolean): CharSet {
  const within = classIn(reader)
  const from = within === undefined ? charIn(reader, first) : undefined
  if (reader.sees('-]') || !reader.accept('-')) return within ?? ((char) => char === from)
  const to = classIn(reader) === undefined ? charIn(reader, true) : -1
  if (from === undefined || to < from) throw reader.wrong('this is no range of characters')
  return (char) => from <= char && char <= to
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
