import { leftOut, syntaxError } from './refusal.js'

export interface Token {
  readonly type: 'word' | 'text' | 'number' | 'symbol' | 'end'
  /** What it stands for: escapes are resolved. */
  readonly value: string
  /** As it was written. */
  readonly source: string
  /** Where it begins in the path. */
  readonly at: number
}

const BLANK = /(?:[ \t\n\r\f]|\/\*.*?\*\/)+/sy
const SYMBOL = /&&|\|\||\*\*|==|!=|<>|<=|>=|[?%$.[\]{}()|&!=<>@#,*:\-+/]/y
const TEXT = /"((?:[^"\\]|\\.)*)"/sy
/** Anything but blanks, quotes and what symbols are made of; escapes are taken as in texts. */
const WORD = /(?:[^?%$.[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f]|\\.)+/sy
const NUMBER =
  /0x[\da-f](?:_?[\da-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*|(?:(?:0|[1-9](?:_?\d)*)(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:e[+-]?\d(?:_?\d)*)?/iy
/** One character of a word. */
const WORD_START = /[^?%$.[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f]/y
const ESCAPE = /(?:\\u(?:[\dA-Fa-f]{4}|\{[\dA-Fa-f]{1,6}\}))+|\\x([\dA-Fa-f]{2})|\\(.)/gs
const CONTROLS: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** @throws IvcapError `invalid-argument` with the position */
export function tokens(path: string): readonly Token[] {
  const out: Token[] = []
  let at = 0
  for (;;) {
    at += matchAt(BLANK, path, at).length
    const token = at < path.length ? tokenAt(path, at) : ({ type: 'end', value: '', source: '', at } as const)
    out.push(token)
    if (token.type === 'end') return out
    at += token.source.length
  }
}

function tokenAt(path: string, at: number): Token {
  const text = matchAt(TEXT, path, at)
  if (text !== '') return { type: 'text', value: resolve(text.slice(1, -1), at + 1), source: text, at }
  if (path[at] === '"') throw syntaxError(at, 'the text that begins here has no end')
  if (path.startsWith('/*', at)) throw syntaxError(at, 'the comment that begins here has no end')
  const number = matchAt(NUMBER, path, at)
  const word = matchAt(WORD, path, at)
  // the longest counts, as in PostgreSQL: after a blank, 12ab is a name
  if (number !== '' && word.length <= number.length + 1) {
    if (matchAt(WORD_START, path, at + number.length) !== '')
      throw syntaxError(at + number.length, `the number ${number} goes on in a way that no number does`)
    return { type: 'number', value: number.replaceAll('_', ''), source: number, at }
  }
  if (word !== '') {
    if (path.startsWith('/*', at + word.length))
      throw syntaxError(at + word.length, `put a blank between ${word} and the comment`)
    return { type: 'word', value: resolve(word, at), source: word, at }
  }
  const symbol = matchAt(SYMBOL, path, at)
  if (symbol === '') throw syntaxError(at, 'a backslash is the last character')
  const variable = symbol === '$' ? matchAt(WORD, path, at + 1) || matchAt(TEXT, path, at + 1) : ''
  if (variable !== '') throw leftOut(`the variable $${variable}`, 'write its value instead')
  return { type: 'symbol', value: symbol, source: symbol, at }
}

function matchAt(pattern: RegExp, path: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(path)?.[0] ?? ''
}

/** The text that escapes stand for. */
function resolve(source: string, at: number): string {
  return source.replace(
    ESCAPE,
    (sequence: string, hex: string | undefined, char: string | undefined, i: number) => {
      if (char === 'u' || char === 'x')
        throw syntaxError(at + i, String.raw`an escape is \uXXXX, \u{X…} or \xXX, with hexadecimal digits`)
      if (char !== undefined) return CONTROLS[char] ?? char
      const codes = hex === undefined ? sequence.split('\\u').slice(1) : [hex]
      const decoded = codes.map((code) => characterOf(Number.parseInt(code.replace('{', ''), 16))).join('')
      if (/[\0\p{Surrogate}]/u.test(decoded)) throw syntaxError(at + i, `${sequence} is no character`)
      return decoded
    },
  )
}

/** U+0000, which no text of PostgreSQL can hold, stands for what is no character. */
const characterOf = (code: number): string => (code > 0x10ffff ? '\0' : String.fromCodePoint(code))
