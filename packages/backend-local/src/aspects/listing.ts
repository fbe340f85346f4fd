import { type AspectQuery, type AspectRecord, type OpOptions, type Page, timestamp } from '@ivcap/core/driver'
import {
  aspectOrder,
  aspectSelector,
  type Clock,
  decodeCursor,
  encodeCursor,
  inForce,
  nextTurn,
  PAGE_BYTES,
  pageOf,
  type SortKey,
  sizeOf,
} from '@ivcap/core/internal'
import type { Bases } from '../bases.js'
import type { AspectIndex } from '../index/aspect-index.js'
import { candidates, choose, inOrder, isIndexed, isIndexOrder } from '../index/candidates.js'
import type { Entry } from '../index/facts.js'
import { type ContentPathResults, ContentPathScan } from './content-path-scan.js'
import type { AspectRecords, Scan } from './records.js'

/** Records read before other work gets its turn. */
const SLICE = 64
/** Attempts to read a consistent page while others write. The last attempt's page is returned even if it is not consistent. */
const ATTEMPTS = 5
/** Entries that are tried first, in the order of the index. Most pages need no more. */
const CHOSEN = 1024

/**
 * Returns one page. If the index has the order fields, little more than the page is read. Otherwise each record of the entity and
 * the schema is read, and at most a page of them is held in memory. With a filter or content path, records are read until the
 * page is full: it has `limit` records, or more than 8 MiB of content.
 */
export async function listAspects(
  q: AspectQuery,
  o: OpOptions,
  parts: {
    index: AspectIndex
    records: AspectRecords
    results: ContentPathResults
    clock: Clock
    bases: Bases
  },
): Promise<Page<AspectRecord>> {
  const { index, records, clock, bases } = parts
  // URNs can be translated only after the former bases are known
  await bases.refresh()
  const today = q.entity === undefined ? q : { ...q, entity: bases.current(q.entity) }
  const matches = aspectSelector(today, o)
  const contents = q.contentPath === undefined ? undefined : new ContentPathScan(index, parts.results, q, o)
  const { fields, keyOf } = aspectOrder(q.orderBy)
  const { entity, schema, filter, contentPath, orderDirection: direction } = q
  const query = { entity, schema, filter, contentPath, fields, direction, atTime: q.atTime }
  const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
  const at = q.atTime ?? position?.atTime
  const now = timestamp(clock())
  const slice = {
    direction,
    limit: q.limit,
    ...(q.includeContent && { sizeOf }),
    ...(position && { after: position.after }),
  }

  let most = isIndexOrder(fields) ? CHOSEN : Number.POSITIVE_INFINITY
  for (let attempt = 1; ; attempt++) {
    o.signal?.throwIfAborted()
    await index.refresh({ check: true })
    const { table } = index
    const { end } = table
    const scan: Scan = { includes: (uuid) => (table.get(uuid)?.number ?? end) < end, outrun: false }
    // if a record ends after this point, its successor may be missing from these entries
    const entries = candidates(table, today, at)
    const { chosen, isAll } = choose(entries, isIndexOrder(fields) ? slice : { direction }, most)
    const load = async (entry: Entry) => {
      o.signal?.throwIfAborted()
      if (contents?.rejects(entry)) return undefined
      const record = await records.load(entry.uuid, scan)
      if (record === undefined || !inForce(record, at)) return undefined
      if (matches === undefined || (await matches(record))) return record
      await contents?.countMiss(entries)
      return undefined
    }
    const page = isIndexed(fields)
      ? await firstOf(inOrder(chosen, fields, keyOf, slice), q, load)
      : await pageOf(loaded(chosen, load), keyOf, slice)
    if (scan.outrun && attempt < ATTEMPTS) continue
    if (!isAll && page.last === undefined) {
      // too few of the chosen entries match: read all
      most = Number.POSITIVE_INFINITY
      continue
    }
    const began = entries.at(-1)?.validFrom
    // must not be earlier than any record of this page
    const atTime = at ?? (began === undefined || began < now ? now : began)
    return {
      items: q.includeContent ? page.items : page.items.map(({ content: _, ...rest }) => rest),
      ...(page.last && {
        cursor: encodeCursor(query, { atTime, after: page.last }),
      }),
    }
  }
}

/** Reads records in order until the page is full and one more is found. */
async function firstOf(
  ordered: AsyncIterable<{ readonly entry: Entry; readonly key: SortKey }>,
  { limit, includeContent }: Pick<AspectQuery, 'limit' | 'includeContent'>,
  load: (entry: Entry) => Promise<AspectRecord | undefined>,
): Promise<{ items: readonly AspectRecord[]; last?: SortKey }> {
  const items: AspectRecord[] = []
  let last: SortKey | undefined
  let bytes = 0
  let count = 0
  for await (const { entry, key } of ordered) {
    if (++count % SLICE === 0) await nextTurn()
    const record = await load(entry)
    if (record === undefined) continue
    if (items.length === limit || bytes > PAGE_BYTES) return { items, ...(last && { last }) }
    items.push(record)
    bytes += includeContent ? sizeOf(record) : 0
    last = key
  }
  return { items }
}

async function* loaded(
  entries: readonly Entry[],
  load: (entry: Entry) => Promise<AspectRecord | undefined>,
): AsyncGenerator<AspectRecord> {
  for (const [i, entry] of entries.entries()) {
    if (i % SLICE === SLICE - 1) await nextTurn()
    const record = await load(entry)
    if (record !== undefined) yield record
  }
}
