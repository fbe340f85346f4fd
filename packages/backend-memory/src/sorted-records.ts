import type { AspectRecord, JsonObject, Timestamp } from '@ivcap/core/driver'
import { compareKeys, type Direction, type SortKey } from '@ivcap/core/internal'

/** A record as this store holds it. It is never changed: an end makes another object. */
export type StoredAspect = AspectRecord & { readonly validFrom: Timestamp; readonly content: JsonObject }

/** The order of all lists by time: by start, then by id. */
export const timeKeyOf = ({ validFrom, id }: StoredAspect): SortKey => [validFrom, id]

/** The records after a key, or all, in one direction. */
export interface Stretch {
  readonly direction: Direction
  readonly after?: SortKey | undefined
}

/** Records in the order of their start. Clocks may jump, so a new record is not always the last one. */
export class SortedRecords {
  #items: StoredAspect[] = []

  add(record: StoredAspect): void {
    const at = this.#firstAfter(timeKeyOf(record))
    if (at === this.#items.length) this.#items.push(record)
    else this.#items.splice(at, 0, record)
  }

  remove(record: StoredAspect): void {
    const at = this.#firstAfter(timeKeyOf(record)) - 1
    if (this.#items[at]?.id === record.id) this.#items.splice(at, 1)
  }

  /** Replaces the record with the same start and id. */
  replace(record: StoredAspect): void {
    const at = this.#firstAfter(timeKeyOf(record)) - 1
    if (this.#items[at]?.id === record.id) this.#items[at] = record
  }

  /** The first `count` records after a key that pass the test. */
  first(count: number, q: Stretch, test: (record: StoredAspect) => boolean): readonly StoredAspect[] {
    const found: StoredAspect[] = []
    const step = q.direction === 'ASC' ? 1 : -1
    for (let at = this.#begin(q); found.length < count; at += step) {
      const record = this.#items[at]
      if (record === undefined) break
      if (test(record)) found.push(record)
    }
    return found
  }

  /** A snapshot of the records after a key, for callers that wait between two records. */
  snapshot(q: Stretch): readonly StoredAspect[] {
    const begin = this.#begin(q)
    return q.direction === 'ASC' ? this.#items.slice(begin) : this.#items.slice(0, begin + 1).reverse()
  }

  /** The index of the first record of a stretch. */
  #begin({ direction, after }: Stretch): number {
    if (after === undefined) return direction === 'ASC' ? 0 : this.#items.length - 1
    const next = this.#firstAfter(after)
    if (direction === 'ASC') return next
    return next - (compareKeys(keyAt(this.#items, next - 1), after, 'ASC') === 0 ? 2 : 1)
  }

  /** The index of the first record after a key. */
  #firstAfter(key: SortKey): number {
    const items = this.#items
    let low = 0
    let high = items.length
    const last = items.at(-1)
    // the usual case: it is newer than all
    if (last === undefined || compareKeys(timeKeyOf(last), key, 'ASC') <= 0) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(keyAt(items, middle), key, 'ASC') <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function keyAt(items: readonly StoredAspect[], at: number): SortKey {
  const item = items[at]
  return item === undefined ? [] : timeKeyOf(item)
}
