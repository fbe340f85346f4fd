import { MAX_NESTING, quote, SqlJsonPathError, syntaxError, unsupported } from './errors.js'

/** Maximum characters of a path. */
const MAX_LENGTH = 10_000

export interface Token {
  readonly type: 'word' | 'text' | 'number' | 'symbol' | 'end'
  /** The text that it stands for, with escapes resolved. */
  readonly value: string
  /** The text as written. */
  readonly source: string
  /** Offset of its first character in the path. */
  readonly at: number
}

const BLANK = /(?:[ \t\n\r\f]|\/\*.*?\*\/)+/sy
const SYMBOL = /&&|\|\||\*\*|==|!=|<>|<=|>=|[?%$.[\]{}()|&!=<>@#,*:\-+/]/y
const TEXT = /"((?:[^"\\]|\\.)*)"/sy
/** Any characters except blanks, quotes and those of symbols; escapes as in texts. */
const WORD = /(?:[^?%$.[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f]|\\.)+/sy
const NUMBER =
  /0x[\da-f](?:_?[\da-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*|(?:(?:0|[1-9](?:_?\d)*)(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:e[+-]?\d(?:_?\d)*)?/iy
/** One character of a word. */
const WORD_START = /[^?%$.[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f]/y
const ESCAPE = /(?:\\u(?:[\dA-Fa-f]{4}|\{[\dA-Fa-f]{1,6}\}))+|\\x([\dA-Fa-f]{2})|\\(.)/gs
const CONTROLS: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** @throws SqlJsonPathError `syntax`, `unsupported` */
function tokenize(path: string): readonly Token[] {
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
  // the longest token is taken, as in PostgreSQL: after a blank, 12ab is a name
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
  if (variable !== '') throw unsupported(at, `the variable $${variable}`, 'write its value instead')
  return { type: 'symbol', value: symbol, source: symbol, at }
}

function matchAt(pattern: RegExp, path: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(path)?.[0] ?? ''
}

/** Replaces escapes by the characters that they stand for. */
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

/** Returns U+0000 for an invalid code point: the caller rejects both, since PostgreSQL's texts can't contain U+0000. */
const characterOf = (code: number): string => (code > 0x10ffff ? '\0' : String.fromCodePoint(code))

const END: Token = { type: 'end', value: '', source: '', at: 0 }
/** Keywords that must be in lower case. */
const CASED = ['null', 'true', 'false']

/** Reads the tokens of a path in order. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  #next = 0
  #nesting = 0
  /** Number of filters and subscripts that enclose the next token: `@` and `last` are valid only inside of them. */
  filters = 0
  subscripts = 0
  /** Number of states of the path's regular expressions so far. */
  readonly regexes = { states: 0 }

  constructor(path: string) {
    if (path.length > MAX_LENGTH)
      throw new SqlJsonPathError(
        'too-large',
        `the path has ${path.length} characters; at most ${MAX_LENGTH} are allowed`,
        MAX_LENGTH,
      )
    this.#tokens = tokenize(path)
  }

  get token(): Token {
    return this.#tokens[this.#next] ?? END
  }

  /** The token after the next one. */
  get following(): Token {
    return this.#tokens[this.#next + 1] ?? END
  }

  take(): Token {
    const { token } = this
    this.#next += 1
    return token
  }

  /** Whether the next token is this symbol, or this keyword. */
  at(symbol: string): boolean {
    const { token } = this
    return token.type === 'symbol' ? token.value === symbol : /^\w/.test(symbol) && keyword(token) === symbol
  }

  /** Takes the next token if it is this one. */
  accept(symbol: string): boolean {
    const found = this.at(symbol)
    if (found) this.#next += 1
    return found
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.unexpected(quote(symbol))
  }

  /** @param expected the tokens that would be valid here */
  unexpected(expected: string): Error {
    const { type, at, source } = this.token
    const found = type === 'end' ? 'the end' : quote(source)
    return syntaxError(at, `found ${found} where ${expected} was expected`)
  }

  nested<T>(read: () => T): T {
    if (this.#nesting === MAX_NESTING)
      throw syntaxError(this.token.at, `more than ${MAX_NESTING} levels of nesting`)
    this.#nesting += 1
    const result = read()
    this.#nesting -= 1
    return result
  }
}

/** Returns the keyword of a token in lower case. Case matters only for null, true and false. */
export function keyword({ type, value }: Token): string | undefined {
  if (type !== 'word') return undefined
  const lower = value.toLowerCase()
  return CASED.includes(lower) ? value : lower
}
