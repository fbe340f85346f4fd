/**
 * Parses numbers in texts in one pass. A regular expression that accepts blanks, digits and underscores like PostgreSQL would
 * backtrack in a long text of digits.
 */

/** A number as written in a text, without blanks and underscores. */
export type NumberText =
  | {
      readonly type: 'whole'
      readonly sign: string
      readonly digits: string
      readonly hasUnderscores: boolean
    }
  | { readonly type: 'fraction'; readonly text: string; readonly hasUnderscores: boolean }

type DigitTest = (unit: number) => boolean

const isDigit: DigitTest = (unit) => unit >= 48 && unit <= 57
const PREFIXED: Readonly<Record<string, DigitTest>> = {
  x: (unit) => isDigit(unit) || ((unit | 32) >= 97 && (unit | 32) <= 102),
  o: (unit) => unit >= 48 && unit <= 55,
  b: (unit) => unit === 48 || unit === 49,
}
const UNDERSCORE = 95

/** Parses a number; returns undefined if the text is not a number. */
export function numberIn(text: string): NumberText | undefined {
  const reader = new TextReader(text)
  reader.blanks()
  const sign = reader.oneOf('+-')
  const start = reader.at
  const test = reader.is('0') ? PREFIXED[text.charAt(start + 1).toLowerCase()] : undefined
  if (test !== undefined) {
    reader.at += 2
    if (!reader.digits(test, true)) return undefined
    return whole(reader, sign, start)
  }
  const hasWhole = reader.digits(isDigit, false)
  const end = reader.at
  const hasPoint = reader.oneOf('.') !== ''
  const hasFraction = hasPoint && reader.digits(isDigit, false)
  if (!hasWhole && !hasFraction) return undefined
  if (reader.oneOf('eE') !== '') {
    reader.oneOf('+-')
    if (!reader.digits(isDigit, false)) return undefined
  }
  if (reader.at === end) return whole(reader, sign, start)
  const [hasUnderscores, taken] = reader.since(start)
  return reader.ends() ? { type: 'fraction', text: `${sign}${taken}`, hasUnderscores } : undefined
}

function whole(reader: TextReader, sign: string, start: number): NumberText | undefined {
  const [hasUnderscores, digits] = reader.since(start)
  return reader.ends() ? { type: 'whole', sign, digits, hasUnderscores } : undefined
}

class TextReader {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  is(char: string): boolean {
    return this.#text.charAt(this.at) === char
  }

  /** Takes one of these characters; returns an empty text if none comes next. */
  oneOf(chars: string): string {
    const char = this.#text.charAt(this.at)
    if (char === '' || !chars.includes(char)) return ''
    this.at += 1
    return char
  }

  blanks(): void {
    for (let unit = this.#unit(); unit === 32 || (unit >= 9 && unit <= 13); unit = this.#unit()) this.at += 1
  }

  /** Takes digits with single underscores between them. @param leading whether an underscore may precede the first digit */
  digits(test: DigitTest, leading: boolean): boolean {
    const start = this.at
    for (;;) {
      const underscore = this.#unit() === UNDERSCORE && (leading || this.at > start) ? 1 : 0
      if (!test(this.#text.charCodeAt(this.at + underscore))) return this.at > start
      this.at += underscore + 1
    }
  }

  /** The text since `start` without underscores, and whether it had any. */
  since(start: number): [hasUnderscores: boolean, text: string] {
    const taken = this.#text.slice(start, this.at)
    return taken.includes('_') ? [true, taken.replaceAll('_', '')] : [false, taken]
  }

  ends(): boolean {
    this.blanks()
    return this.at === this.#text.length
  }

  #unit(): number {
    return this.#text.charCodeAt(this.at)
  }
}
