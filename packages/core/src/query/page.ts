import { compareKeys, type Direction, type SortKey } from './order.js'

export interface Slice {
  readonly direction: Direction
  /** The key of the last item of the page before. */
  readonly after?: SortKey
  /** Items in the page; 0 or more. */
  readonly limit: number
}

/**
 * One page of a scan, in order, holding no more than a page of items whatever the scan brings. `last` is the key to go
 * on after, absent when nothing follows.
 */
export async function pageOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  keyOf: (item: T) => SortKey,
  { direction, after, limit }: Slice,
): Promise<{ items: readonly T[]; last?: SortKey }> {
  const best: { key: SortKey; item: T }[] = []
  let more = false
  for await (const item of items) {
    const key = keyOf(item)
    if (after !== undefined && compareKeys(key, after, direction) <= 0) continue
    const at = insertionPoint(best, key, direction)
    if (at < limit) best.splice(at, 0, { key, item })
    else more = true
    if (best.length > limit) {
      best.pop()
      more = true
    }
  }
  const last = best.at(-1)?.key
  return { items: best.map((b) => b.item), ...(more && last !== undefined && { last }) }
}

function insertionPoint(sorted: readonly { key: SortKey }[], key: SortKey, direction: Direction): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const mid = (low + high) >>> 1
    const other = sorted[mid]
    if (other !== undefined && compareKeys(other.key, key, direction) <= 0) low = mid + 1
    else high = mid
  }
  return low
}
