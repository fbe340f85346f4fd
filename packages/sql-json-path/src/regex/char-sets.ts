/** Whether a character, as a code point, belongs to a set. */
export type CharSet = (char: number) => boolean

/** PostgreSQL's named classes: letters of all languages, digits of ASCII. */
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
  // without spaces that forbid a line break
  space: /[\t-\r \x85\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]/,
  upper: /\p{Lu}/u,
  word: /[\p{L}\p{Nd}_]/u,
  xdigit: /[\dA-Fa-f]/,
}

/** The classes of `\d`, `\s`, `\w`; the capital letters match all other characters. */
const SHORTHANDS: Record<string, string> = { d: 'digit', s: 'space', w: 'word' }

const TESTS = new Map(
  Object.entries(CLASSES).map(([name, pattern]) => [
    name,
    memoized((char) => pattern.test(String.fromCodePoint(char))),
  ]),
)

const OTHERS = new Map([...TESTS].map(([name, within]): [string, CharSet] => [name, (char) => !within(char)]))

/** Returns the same set for the same name. */
export const classOf = (name: string): CharSet | undefined => TESTS.get(name)

export function shorthandOf(letter: string): CharSet | undefined {
  const name = letter.toLowerCase()
  return (name === letter ? TESTS : OTHERS).get(SHORTHANDS[name] ?? '')
}

/** Maximum number of characters beyond ASCII whose membership is cached. */
const REMEMBERED = 4096
const ASCII = 128

/** Caches the membership of characters. */
export function memoized(within: CharSet): CharSet {
  const ascii: (boolean | undefined)[] = []
  const others = new Map<number, boolean>()
  return (char) => {
    const known = char < ASCII ? ascii[char] : others.get(char)
    if (known !== undefined) return known
    const is = within(char)
    if (char < ASCII) ascii[char] = is
    else {
      if (others.size >= REMEMBERED) others.clear()
      others.set(char, is)
    }
    return is
  }
}

/** Returns a character and its lower and upper case; omits a variant of several characters. */
export function casesOf(char: number): readonly number[] {
  const text = String.fromCodePoint(char)
  return [text, text.toLowerCase(), text.toUpperCase()]
    .filter((variant) => [...variant].length === 1)
    .map((variant) => variant.codePointAt(0) ?? char)
}
