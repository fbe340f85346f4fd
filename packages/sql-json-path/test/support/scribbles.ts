import fc from 'fast-check'
import type { Pair } from './pairs.js'
import { join, more, one, REGEX_FLAGS, type Text } from './texts.js'

const atom = fc.oneof(
  more(8, one('a', 'b', 'A', '.', ' ', '1', 'é', '-', ']')),
  more(
    2,
    one('[ab]', '[^a]', '[a-z]', '[]1]', '[^-b]', '[[:alpha:]_]', '[\\\\d-]', '[\\\\W]', '[[:upper:]]'),
  ),
  more(
    2,
    one('\\\\d', '\\\\w', '\\\\s', '\\\\D', '\\\\W', '\\\\S', '\\\\.', '\\\\n', '\\\\x61', '\\\\u0062'),
  ),
)
const { regex: regexes } = fc.letrec<{ regex: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 3 },
    more(6, join(atom, one('', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?'))),
    more(1, one('^', '$', '\\\\A', '\\\\Z', '\\\\m', '\\\\M', '\\\\y', '\\\\Y')),
    more(1, join('(', tie('regex'), ')', one('', '*', '?', '{2}'))),
    more(1, join('(?:', tie('regex'), '|', tie('regex'), ')')),
  ),
  regex: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
}))
const lines = fc
  .array(fc.constantFrom('a', 'b', 'A', 'B', '1', ' ', '\n', 'é', 'É', '-', ']', '_', '😀'), { maxLength: 6 })
  .map((chars) => chars.join(''))

/** Texts, and regular expressions of the same few characters. */
export const regexPairs: fc.Arbitrary<Pair> = fc.record({
  path: join('$ ? (@ like_regex "', regexes, '"', one(...REGEX_FLAGS), ')'),
  document: lines,
})

const SOUP =
  '$ $ $ @ .a .a .b ."a" . [ ] [0] [*] * ** .** .**{1} { } ( ( ) ) ? ?( ! && || == != <> < <= > >= = + - / % , to last 1 0 01 1. .5 1e2 1_0 0x1 1a "x" "x "\\q" "\\u0041" "\\u00" "\\ud800" true null is unknown exists exists( starts with like_regex flag "i" "z" "(" strict lax .size() .type() .decimal( .foo() TRUE LAST /* é \\'.split(
    ' ',
  )
const fragment = fc.oneof(
  more(3, one(...SOUP)),
  more(
    2,
    one(
      '$.a',
      '@.a',
      '(@ == 1)',
      '? (@ > 1)',
      '($.a == 1)',
      'exists($)',
      '$.a ? (',
      '[last]',
      ' && ',
      ' /**/ ',
    ),
  ),
)

/** What may be a path, and mostly is none. */
export const scribbles: Text = fc
  .tuple(fc.array(fragment, { minLength: 1, maxLength: 7 }), one('', ' '))
  .map(([fragments, blank]) => fragments.join(blank))
