import { show } from '../../model/urn.js'
import type { Token } from './lexer.js'
import { tokens } from './lexer.js'
import { MAX_LENGTH, MAX_NESTING, refusal, syntaxError } from './refusal.js'

const END: Token = { type: 'end', value: '', source: '', at: 0 }
/** These are keywords in lower case only. */
const CASED = ['null', 'true', 'false']

/** The tokens of a path, one after the other. */
export class Reader {
  readonly #tokens: readonly Token[]
  #next = 0
  #nesting = 0
  /** Filters and subscripts around: `@` and `last` mean something inside only. */
  filters = 0
  subscripts = 0
  /** States of the machines of its regular expressions. */
  readonly regexes = { states: 0 }

  constructor(path: string) {
    if (path.length > MAX_LENGTH)
      throw refusal('invalid-argument', `has ${path.length} characters; at most ${MAX_LENGTH} are allowed`)
    this.#tokens = tokens(path)
  }

  get token(): Token {
    return this.#tokens[this.#next] ?? END
  }

  /** The one after the next. */
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

  /** Takes it if it is there. */
  accept(symbol: string): boolean {
    const found = this.at(symbol)
    if (found) this.#next += 1
    return found
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.unexpected(show(symbol))
  }

  /** @param expected what may stand where the next token is */
  unexpected(expected: string): Error {
    const { type, at, source } = this.token
    const found = type === 'end' ? 'the end' : show(source)
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

/** Keywords are the same in any case, but for null, true and false. */
export function keyword({ type, value }: Token): string | undefined {
  if (type !== 'word') return undefined
  const lower = value.toLowerCase()
  return CASED.includes(lower) ? value : lower
}
