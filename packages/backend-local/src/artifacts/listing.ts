import {
  type ArtifactQuery,
  type ArtifactRecord,
  type OpOptions,
  type Page,
  type Timestamp,
  timestamp,
} from '@ivcap/core/driver'
import {
  type ArtifactOrderField,
  artifactFilter,
  artifactOrder,
  type Clock,
  compareKeys,
  type Direction,
  decodeCursor,
  encodeCursor,
  pageOf,
  type SortKey,
  WorkBudget,
} from '@ivcap/core/internal'
import { type LocalFs, type LocalStat, lstatIfThere } from '../fs/local-fs.js'
import type { Omissions } from '../fs/omissions.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { mayBeOutput } from './names.js'
import type { ArtifactPath, ArtifactPaths } from './paths.js'
import { type ArtifactRecords, derivedRecord } from './records.js'
import { filesBelow } from './walk.js'

/** Fields that the file alone provides, without its record. */
const DERIVED: readonly ArtifactOrderField[] = [
  'id',
  'name',
  'status',
  'size',
  'created_at',
  'last_modified_at',
]
/** Files that one walk of the folder sorts and caches for the following pages. */
const WINDOW = 10_000
/** Listings whose windows are cached; the least recently used one is evicted. */
const WINDOWS = 4

interface ListedFile {
  readonly path: ArtifactPath
  readonly stat: LocalStat
  readonly record: ArtifactRecord
}

/** A sorted run of files of a listing, from one walk. */
interface Window {
  /** The window starts after this key. */
  readonly after: SortKey | undefined
  readonly items: readonly { readonly key: SortKey; readonly path: ArtifactPath }[]
  /** True if more files follow the last one. */
  readonly more: boolean
}

interface Parts {
  readonly fs: LocalFs
  readonly paths: ArtifactPaths
  readonly records: ArtifactRecords
  readonly index: AspectIndex
  readonly clock: Clock
  readonly omissions: Omissions
}

/** Lists the files in the folder, of this and of other programs. */
export class ArtifactListings {
  readonly #parts: Parts
  /** By query and time. A cursor without a window requires another walk. */
  readonly #windows = new Map<string, Window>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async page(q: ArtifactQuery, o: OpOptions): Promise<Page<ArtifactRecord>> {
    const { fs, paths, records, index } = this.#parts
    const { fields } = artifactOrder(q.orderBy)
    const direction = q.orderDesc ? 'DESC' : 'ASC'
    const query = { filter: q.filter, fields, direction, atTime: q.atTime }
    const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
    const after = position?.after
    await index.refresh()

    const known = position && this.#find(query, position.atTime, after, direction, q.limit)
    const { window, at } =
      known !== undefined && position !== undefined
        ? { window: known, at: position.atTime }
        : await this.#walk(q, o, after, q.atTime ?? position?.atTime)
    this.#remember(query, at, window)

    const items: ArtifactRecord[] = []
    let next = firstAfter(window, after, direction)
    let last = after
    for (; next < window.items.length && items.length < q.limit; next++) {
      o.signal?.throwIfAborted()
      const item = window.items[next]
      if (item === undefined) break
      last = item.key
      const stat = await lstatIfThere(fs, item.path.path)
      // deleted since the walk
      if (!stat?.isFile()) continue
      paths.handOut(item.path.id)
      items.push(await records.of(item.path, stat))
    }
    const more = next < window.items.length || window.more
    return { items, ...(more && last && { cursor: encodeCursor(query, { atTime: at, after: last }) }) }
  }

  async #walk(
    q: ArtifactQuery,
    o: OpOptions,
    after: SortKey | undefined,
    at: Timestamp | undefined,
  ): Promise<{ readonly window: Window; readonly at: Timestamp }> {
    const { paths, records, clock } = this.#parts
    const matches = q.filter === undefined ? undefined : artifactFilter(q.filter)
    const budget = new WorkBudget({ signal: o.signal })
    const { fields, keyOf } = artifactOrder(q.orderBy)
    const needsNoRecord = matches === undefined && fields.every((field) => DERIVED.includes(field))
    const byName = fields.includes('name')
    let newest = timestamp(clock())
    const files = filesBelow(this.#parts, await paths.artifactFolder(), o)

    async function* listed(): AsyncGenerator<ListedFile> {
      for await (const { path, stat } of files) {
        const derived = derivedRecord(path, stat)
        const createdAt = derived.createdAt ?? newest
        if (at === undefined && createdAt > newest) newest = createdAt
        const then = at === undefined || createdAt <= at ? createdAt : await createdBefore(path, at, records)
        if (then === undefined) continue
        const isDerived = needsNoRecord && !(byName && mayBeOutput(path.name))
        const record = isDerived ? derived : await records.of(path, stat)
        // sorted by its state at that time: a file replaced between two pages is then neither skipped nor repeated
        const placed = then === createdAt ? record : { ...record, createdAt: then, lastModifiedAt: then }
        if (matches === undefined || (await matches(placed, budget))) yield { path, stat, record: placed }
      }
    }

    const direction: Direction = q.orderDesc ? 'DESC' : 'ASC'
    const slice = { direction, limit: Math.max(WINDOW, q.limit), ...(after && { after }) }
    const { items, last } = await pageOf(listed(), (item) => keyOf(item.record), slice)
    const window = {
      after,
      items: items.map(({ record, path }) => ({ key: keyOf(record), path })),
      more: last !== undefined,
    }
    return { window, at: at ?? newest }
  }

  /** The cached window that holds the page. */
  #find(
    query: object,
    at: Timestamp,
    after: SortKey | undefined,
    direction: Direction,
    limit: number,
  ): Window | undefined {
    const window = this.#windows.get(keyOfListing(query, at))
    if (window === undefined) return undefined
    const isBefore =
      window.after !== undefined && (after === undefined || compareKeys(after, window.after, direction) < 0)
    const left = window.items.length - firstAfter(window, after, direction)
    return isBefore || (window.more && left < limit) ? undefined : window
  }

  #remember(query: object, at: Timestamp, window: Window): void {
    const key = keyOfListing(query, at)
    this.#windows.delete(key)
    this.#windows.set(key, window)
    if (this.#windows.size <= WINDOWS) return
    for (const oldest of this.#windows.keys()) {
      this.#windows.delete(oldest)
      return
    }
  }
}

const keyOfListing = (query: object, at: Timestamp): string => JSON.stringify([query, at])

/** The index of the first item after a key. */
function firstAfter({ items }: Window, after: SortKey | undefined, direction: Direction): number {
  if (after === undefined) return 0
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && compareKeys(item.key, after, direction) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** When the artifact at this path at the time `at` was created. The present file, which is newer, may have replaced it. */
async function createdBefore(path: ArtifactPath, at: Timestamp, records: ArtifactRecords) {
  const before = await records.recorded(path, at)
  return before?.createdAt
}
