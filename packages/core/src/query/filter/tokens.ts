import { show } from '../../model/urn.js'
import { wrong } from './wrong.js'

export type Token = { readonly at: number; readonly text: string } & (
  | { readonly kind: 'word' | 'operator' | 'bracket' | 'end' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
)

/** Maximum characters of a filter. */
const MAX_LENGTH = 10_000

const BLANK = /\s+/y
const WORD = /[\p{L}_$][\p{L}\p{N}_$-]*(?:\.[\p{L}\p{N}_$-]+)*/uy
const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy
/** A quote inside a text is doubled. */
const TEXT = /'(?:[^']|'')*'|"(?:[^"]|"")*"/y
const OPERATOR = /<=|>=|<>|!=|~=|=|<|>/y
const BRACKET = /[(),]/y

/** Splits a filter into tokens; the last one is `end`. @throws IvcapError `invalid-argument`, with the position of the error */
export function tokensOf(filter: string): readonly Token[] {
  if (filter.length > MAX_LENGTH)
    throw wrong(MAX_LENGTH, `it has ${filter.length} characters; at most ${MAX_LENGTH} are taken`)
  const tokens: Token[] = []
  let at = match(BLANK, filter, 0).length
  while (at < filter.length) {
    const token = tokenAt(filter, at)
    tokens.push(token)
    at += token.text.length
    at += match(BLANK, filter, at).length
  }
  return [...tokens, { kind: 'end', at, text: '' }]
}

function tokenAt(filter: string, at: number): Token {
  const number = match(NUMBER, filter, at)
  if (number !== '') return { kind: 'number', at, text: number, value: Number(number) }
  const quoted = match(TEXT, filter, at)
  if (quoted !== '') return { kind: 'text', at, text: quoted, value: unquoted(quoted) }
  for (const [kind, pattern] of [
    ['word', WORD],
    ['operator', OPERATOR],
    ['bracket', BRACKET],
  ] as const) {
    const text = match(pattern, filter, at)
    if (text !== '') return { kind, at, text }
  }
  const char = String.fromCodePoint(filter.codePointAt(at) ?? 0)
  if (char === "'" || char === '"')
    throw wrong(at, `the text that begins here has no end: close it with ${char}`)
  throw wrong(at, `${show(char)} has no meaning here`)
}

function unquoted(text: string): string {
  const quote = text.charAt(0)
  return text.slice(1, -1).replaceAll(quote + quote, quote)
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}
