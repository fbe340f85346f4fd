/** A character of a pattern; `undefined` is any one. */
type Segment = readonly (string | undefined)[]

/**
 * SQL's LIKE: `%` is any run of characters, `_` any one, `\` takes the next as it is. Takes the first place that fits for each
 * piece between the `%`s, so no pattern takes longer than its length times that of the text.
 */
export function likeMatcher(pattern: string): (text: string) => boolean {
  const [first = [], ...rest] = segmentsOf(pattern)
  const last = rest.pop()
  return (text) => {
    const chars = [...text]
    if (!fitsAt(first, chars, 0)) return false
    if (last === undefined) return chars.length === first.length
    let at = first.length
    for (const segment of rest) {
      while (at + segment.length <= chars.length && !fitsAt(segment, chars, at)) at++
      at += segment.length
    }
    const end = chars.length - last.length
    return end >= at && fitsAt(last, chars, end)
  }
}

function segmentsOf(pattern: string): readonly Segment[] {
  let segment: (string | undefined)[] = []
  const segments = [segment]
  const chars = [...pattern]
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]
    if (char === '%') {
      segment = []
      segments.push(segment)
    } else if (char === '\\' && i + 1 < chars.length) {
      segment.push(chars[++i])
    } else {
      segment.push(char === '_' ? undefined : char)
    }
  }
  return segments
}

const fitsAt = (segment: Segment, chars: readonly string[], at: number): boolean =>
  at + segment.length <= chars.length &&
  segment.every((char, i) => char === undefined || char === chars[at + i])
