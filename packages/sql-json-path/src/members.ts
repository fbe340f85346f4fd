/** The members of an object, in the order in which PostgreSQL keeps them. */
import type { Budget, Work } from './budget.js'
import { compareText } from './items.js'
import type { JsonObject, JsonValue } from './tree.js'

export type Entry = readonly [key: string, value: JsonValue]
type Keyed = { readonly entry: Entry; readonly bytes: number }

/** At most FEW keys of at most SHORT characters are sorted without a pause. */
const FEW = 64
const SHORT = 256

/**
 * Returns the members of an object, shorter keys first.
 *
 * @param extra additional members; the object's own members override them
 */
export function* membersOf(
  object: JsonObject,
  extra: JsonObject | undefined,
  budget: Budget,
): Work<readonly Entry[]> {
  const entries: Entry[] = []
  // Object.entries can't pause
  for (const key in object) {
    if (budget.spend(2)) yield
    entries.push([key, object[key] ?? null])
  }
  for (const [key, value] of Object.entries(extra ?? {}))
    if (!Object.hasOwn(object, key)) entries.push([key, value])
  return yield* inStoredOrder(entries, budget)
}

function* inStoredOrder(entries: readonly Entry[], budget: Budget): Work<readonly Entry[]> {
  if (entries.length < 2) return entries
  const keyed: Keyed[] = []
  let isSmall = entries.length <= FEW
  for (const entry of entries) {
    const [key] = entry
    isSmall &&= key.length <= SHORT
    if (budget.spend(key.length >> 5)) yield
    keyed.push({ entry, bytes: byteLength(key) })
  }
  const sorted = isSmall ? keyed.sort(compareKeyed) : yield* merged(keyed, budget)
  return sorted.map(({ entry }) => entry)
}

/** Merge sort, because Array.prototype.sort can't pause. */
function* merged(items: readonly Keyed[], budget: Budget): Work<readonly Keyed[]> {
  let from = items
  for (let width = 1; width < items.length; width *= 2) {
    const to: Keyed[] = []
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length)
      const end = Math.min(middle + width, from.length)
      let [left, right] = [start, middle]
      for (let a = from[left], b = from[right]; left < middle || right < end; ) {
        const takesLeft = right >= end || (left < middle && a && b && compareKeyed(a, b) <= 0)
        const next = takesLeft ? a : b
        if (next === undefined) break
        if (budget.spend(1 + (next.bytes >> 5))) yield
        to.push(next)
        if (takesLeft) a = from[++left]
        else b = from[++right]
      }
    }
    from = to
  }
  return from
}

const compareKeyed = (a: Keyed, b: Keyed): number => a.bytes - b.bytes || compareText(a.entry[0], b.entry[0])

/** Bytes in UTF-8; each half of a surrogate pair counts as two. */
function byteLength(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1
  }
  return bytes
}
