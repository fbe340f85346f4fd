import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js'
import { compareKeys, type Direction, type SortKey } from './order.js'

/**
 * Maximum bytes of content in a page, not counting its last record. So a page holds at most this and one record. Clients accept
 * pages of at most 128 MiB.
 */
export const PAGE_BYTES = 8 * 1024 * 1024

export interface Slice<T = never> {
  readonly direction: Direction
  /** Sort key of the last item of the previous page. */
  readonly after?: SortKey
  /** Maximum number of items in the page, >= 0. */
  readonly limit: number
  /** Bytes of an item, for the limit `PAGE_BYTES`. If absent, only `limit` applies. */
  readonly sizeOf?: (item: T) => number
}

/**
 * Selects one page of a scan, in order. Holds at most one page of items in memory, however many the scan yields. `last` is the key
 * after which the next page begins; absent if no more items follow.
 */
export async function pageOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  keyOf: (item: T) => SortKey,
  { direction, after, limit, sizeOf: bytesOf = () => 0 }: Slice<T>,
): Promise<{ items: readonly T[]; last?: SortKey }> {
  const best: { key: SortKey; item: T; bytes: number }[] = []
  let more = false
  let bytes = 0
  for await (const item of items) {
    const key = keyOf(item)
    if (after !== undefined && compareKeys(key, after, direction) <= 0) continue
    const at = insertionPoint(best, key, direction)
    const entry = { key, item, bytes: bytesOf(item) }
    best.splice(at, 0, entry)
    bytes += entry.bytes
    // items beyond the limit of items or bytes belong to a later page
    for (let last = best.at(-1); last !== undefined; last = best.at(-1)) {
      if (best.length <= limit && bytes - last.bytes <= PAGE_BYTES) break
      best.pop()
      bytes -= last.bytes
      more = true
    }
  }
  const last = best.at(-1)?.key
  return { items: best.map((b) => b.item), ...(more && last !== undefined && { last }) }
}

/** Approximate bytes of the record's content in JSON. */
export function sizeOf({ content }: { readonly content?: JsonObject }): number {
  if (content === undefined) return 0
  const size = sizes.get(content) ?? jsonSize(content)
  sizes.set(content, size)
  return size
}

/** Stores the known size of a content: measuring it takes time for each of its members. */
export function noteSize(content: JsonObject | undefined, bytes: number): void {
  if (content !== undefined) sizes.set(content, bytes)
}

const sizes = new WeakMap<JsonObject, number>()

function jsonSize(value: JsonValue): number {
  if (typeof value === 'string') return value.length + 3
  if (typeof value !== 'object' || value === null) return 8
  let size = 2
  if (Array.isArray(value)) for (const item of value) size += jsonSize(item)
  else if (isJsonObject(value)) for (const key in value) size += key.length + 4 + jsonSize(value[key] ?? null)
  return size
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
