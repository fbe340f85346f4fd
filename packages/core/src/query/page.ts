import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js'
import { compareKeys, type Direction, type SortKey } from './order.js'

/**
 * A page of records that has more than so many bytes of content ends, and the next one goes on: the last record may lead over it,
 * so that a page holds this and one record at most. Clients read pages of 128 MiB at most.
 */
export const PAGE_BYTES = 8 * 1024 * 1024

export interface Slice<T = never> {
  readonly direction: Direction
  /** The key of the last item of the page before. */
  readonly after?: SortKey
  /** Items in the page; 0 or more. */
  readonly limit: number
  /** Bytes of an item, where they count: see `PAGE_BYTES`. */
  readonly sizeOf?: (item: T) => number
}

/**
 * One page of a scan, in order, holding no more than a page of items whatever the scan brings. `last` is the key to go
 * on after, absent when nothing follows.
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
    // what comes after enough items, or after enough bytes, belongs to a later page
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

/** About as many bytes as the content of a record has in JSON. */
export function sizeOf({ content }: { readonly content?: JsonObject }): number {
  if (content === undefined) return 0
  const size = sizes.get(content) ?? jsonSize(content)
  sizes.set(content, size)
  return size
}

/** Tells the size of a content where it is known: to measure it takes as long as its members are many. */
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
