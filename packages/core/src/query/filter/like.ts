import type { Work, WorkBudget } from '../work.js'

/** A test of a text. It pauses in long texts. */
export type TextTest = (text: string, budget: WorkBudget) => Work<boolean>

/** Code points of a pattern; `undefined` matches any one. */
type Segment = readonly (number | undefined)[]
/** The first position after `from` at which a match of a segment ends; -1 if there is no match. */
type Search = (text: string, from: number, budget: WorkBudget) => Work<number>

/** Characters between two checks of the budget. */
const CHUNK = 2048
/** Characters that take as long as one step, in a search without `_`. */
const CHARS_PER_STEP = 16
const BITS = 32

/**
 * SQL's LIKE: `%` matches any characters, `_` any one, and `\` escapes the next. Each segment between two `%` is matched at the
 * first possible position. The time is linear in the text; for a segment with `_`, it is multiplied by a thirty-second of the
 * segment's length.
 */
export function likeTest(pattern: string): TextTest {
  const [first = [], ...rest] = segmentsOf(pattern)
  const last = rest.pop()
  const searches = rest.filter((segment) => segment.length > 0).map(searchOf)
  return function* (text, budget) {
    let at = endAt(first, text, 0)
    if (at < 0 || last === undefined) return at === text.length
    for (const search of searches) {
      at = yield* search(text, at, budget)
      if (at < 0) return false
    }
    const start = before(text, last.length, at)
    return start >= 0 && endAt(last, text, start) === text.length
  }
}

/** Whether a text contains another. */
export function containsTest(part: string): TextTest {
  const search = searchOf(Array.from(part, (char) => char.codePointAt(0)))
  return function* (text, budget) {
    return part === '' || (yield* search(text, 0, budget)) >= 0
  }
}

function segmentsOf(pattern: string): readonly Segment[] {
  let segment: (number | undefined)[] = []
  const segments = [segment]
  const chars = [...pattern]
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? ''
    if (char === '%') {
      segment = []
      segments.push(segment)
    } else if (char === '\\' && i + 1 < chars.length) {
      segment.push(chars[++i]?.codePointAt(0))
    } else {
      segment.push(char === '_' ? undefined : char.codePointAt(0))
    }
  }
  return segments
}

const searchOf = (segment: Segment): Search =>
  segment.every((char) => char !== undefined) ? literalSearch(segment) : wildcardSearch(segment)

/** Knuth-Morris-Pratt: reads each character of the text only once, for any segment. */
function literalSearch(segment: readonly number[]): Search {
  const borders = bordersOf(segment)
  return function* (text, from, budget) {
    let matched = 0
    for (let at = from, checked = from; at < text.length; ) {
      const char = text.codePointAt(at) ?? 0
      at += char > 0xffff ? 2 : 1
      while (matched > 0 && segment[matched] !== char) matched = borders[matched - 1] ?? 0
      if (segment[matched] === char) matched += 1
      if (matched === segment.length) return at
      if (at - checked < CHUNK) continue
      checked = at
      if (budget.spend(CHUNK / CHARS_PER_STEP)) yield
    }
    return -1
  }
}

/** For each prefix of the segment, the length of its longest proper prefix that is also its suffix. */
function bordersOf(segment: readonly number[]): readonly number[] {
  const borders = [0]
  let length = 0
  for (let i = 1; i < segment.length; i++) {
    while (length > 0 && segment[i] !== segment[length]) length = borders[length - 1] ?? 0
    if (segment[i] === segment[length]) length += 1
    borders.push(length)
  }
  return borders
}

/** Shift-and (Baeza-Yates and Gonnet): one bit for each prefix of the segment that ends here, 32 at a time. */
function wildcardSearch(segment: Segment): Search {
  const words = Math.ceil(segment.length / BITS)
  const any = new Uint32Array(words)
  const masks = new Map<number, Uint32Array>()
  for (const [i, char] of segment.entries()) if (char === undefined) setBit(any, i)
  for (const char of segment) if (char !== undefined && !masks.has(char)) masks.set(char, any.slice())
  for (const [i, char] of segment.entries()) setBit(masks.get(char ?? -1), i)
  const lastBit = 1 << ((segment.length - 1) % BITS)
  return function* (text, from, budget) {
    const state = new Uint32Array(words)
    const perLook = Math.max(1, CHUNK >> (BITS - Math.clz32(words)))
    for (let at = from, checked = from; at < text.length; ) {
      const char = text.codePointAt(at) ?? 0
      at += char > 0xffff ? 2 : 1
      const mask = masks.get(char) ?? any
      let carry = 1
      for (let i = 0; i < words; i++) {
        const word = state[i] ?? 0
        state[i] = ((word << 1) | carry) & (mask[i] ?? 0)
        carry = word >>> (BITS - 1)
      }
      if (((state[words - 1] ?? 0) & lastBit) !== 0) return at
      if (at - checked < perLook) continue
      checked = at
      if (budget.spend((perLook * (words + 4)) / CHARS_PER_STEP)) yield
    }
    return -1
  }
}

function setBit(words: Uint32Array | undefined, i: number): void {
  const word = i >>> 5
  if (words !== undefined) words[word] = (words[word] ?? 0) | (1 << (i % BITS))
}

/** End of the segment if it matches at `from`; otherwise -1. */
function endAt(segment: Segment, text: string, from: number): number {
  let at = from
  for (const wanted of segment) {
    const char = text.codePointAt(at)
    if (char === undefined || (wanted !== undefined && wanted !== char)) return -1
    at += char > 0xffff ? 2 : 1
  }
  return at
}

/** Start of the last `count` characters; -1 if that is before `from`. */
function before(text: string, count: number, from: number): number {
  let at = text.length
  for (let i = 0; i < count; i++) {
    const isPair = (text.codePointAt(at - 2) ?? 0) > 0xffff
    at -= isPair ? 2 : 1
    if (at < from) return -1
  }
  return at
}
