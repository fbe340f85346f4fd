/** Whether a character, as a code point, belongs to a set. */
export type CharSet = (char: number) => boolean

/** The classes that PostgreSQL names: letters are those of all languages, digits those of ASCII. */
const CLASSES: Record<string, RegExp> = {
  alnum: /[\p{L}\p{Nd}]/u,
  alpha: /\p{L}/u,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[^\p{Z}\p{Cc}\p{Cn}]/u,
  lower: /\p{Ll}/u,
  print: /[^\p{Zl}\p{Zp}\p{Cc}\p{Cn}]/u,
  punct: /[\p{P}\p{S}]/u,
  // without those that forbid a line break
  space: /[\t-\r \x85\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]/,
  upper: /\p{Lu}/u,
  word: /[\p{L}\p{Nd}_]/u,
  xdigit: /[\dA-Fa-f]/,
}

/** Of `\d`, `\s`, `\w`; in capitals they stand for all other characters. */
const SHORTHANDS: Record<string, string> = { d: 'digit', s: 'space', w: 'word' }

export function classOf(name: string): CharSet | undefined {
  const pattern = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined
  return pattern && ((char) => pattern.test(String.fromCodePoint(char)))
}

export function shorthandOf(letter: string): CharSet | undefined {
  const name = letter.toLowerCase()
  const within = classOf(SHORTHANDS[name] ?? '')
  return within && (name === letter ? within : (char) => !within(char))
}

/** A character, and what it is in the other case where that is one character. */
export function casesOf(char: number): readonly number[] {
  const text = String.fromCodePoint(char)
  return [text, text.toLowerCase(), text.toUpperCase()]
    .filter((variant) => [...variant].length === 1)
    .map((variant) => variant.codePointAt(0) ?? char)
}
