import { leftOut, MAX_NESTING, syntaxError } from './refusal.js'

/** Letters after a backslash that stand for one character. */
const CONTROLS: Record<string, number> = { a: 7, b: 8, B: 92, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 }
/** Escapes that say it by its number. */
const HEXADECIMAL = /x([\dA-Fa-f]+)|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})/y
const OCTAL = /0[0-7]{0,2}/y
const LAST_CHAR = 0x10ffff

/** The characters of a regular expression, one after the other. */
export class RegexReader {
  readonly #pattern: string
  /** Where the regular expression stands in the path. */
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

  /** Takes this text if it is there. */
  accept(text: string): boolean {
    const found = this.#pattern.startsWith(text, this.#next)
    if (found) this.#next += text.length
    return found
  }

  /** Whether this text comes next. */
  sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#next)
  }

  /** Takes what a sticky pattern finds here. */
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

  /** Takes the escape that stands for one character, its backslash being taken already. */
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
    if (/[1-9]/.test(letter)) throw leftOut('a regular expression with a back reference', 'write it without')
    if (!/[A-Za-z]/.test(letter)) return char
    const control = CONTROLS[letter]
    if (control === undefined) throw this.wrong(`there is no escape \\${letter}`)
    return control
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
