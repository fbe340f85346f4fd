import {
  type AspectOrderField,
  type AspectQuery,
  type AspectRecord,
  aspectOrder,
  aspectSelector,
  aspectUrn,
  type Clock,
  compareKeys,
  decodeCursor,
  encodeCursor,
  inForce,
  type OpOptions,
  type Page,
  pageOf,
  type SortKey,
  timestamp,
} from '@ivcap/core/driver'
import type { AspectIndex, Entry } from './aspect-index.js'
import type { AspectRecords, Scan } from './aspect-records.js'

type KeyOf = (record: AspectRecord) => SortKey
/** What the index tells without the record. */
const INDEXED: readonly AspectOrderField[] = ['entity', 'schema', 'valid_from']
/** A listing that writers outrun this often is handed out as it is. */
const ATTEMPTS = 5

/**
 * One page. Orders that the index knows read little more than the page; others read each record that the entity and the
 * schema leave, and hold no more than a page of them. A filter or content path reads on until the page is full.
 */
export async function listAspects(
  q: AspectQuery,
  o: OpOptions,
  { index, records, clock }: { index: AspectIndex; records: AspectRecords; clock: Clock },
): Promise<Page<AspectRecord>> {
  const fits = aspectSelector(q)
  const { fields, keyOf } = aspectOrder(q.orderBy)
  const { entity, schema, filter, contentPath, orderDirection: direction } = q
  const query = { entity, schema, filter, contentPath, fields, direction, atTime: q.atTime }
  const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
  const at = q.atTime ?? position?.atTime
  const now = timestamp(clock())
  const slice = { direction, limit: q.limit, ...(position && { after: position.after }) }

  for (let attempt = 1; ; attempt++) {
    o.signal?.throwIfAborted()
    await index.refresh()
    const found = index.find({
      ...(entity !== undefined && { entity }),
      ...(schema !== undefined && { schema }),
    })
    const uuids = new Set(found.map(({ uuid }) => uuid))
    const scan: Scan = { includes: (uuid) => uuids.has(uuid), outrun: false }
    // what ends from here on may do so for the sake of a record that is not among these
    const over = new Set(at === undefined ? found.filter(({ closedAt }) => closedAt !== undefined) : [])
    const load = async (entry: Entry) => {
      o.signal?.throwIfAborted()
      if (over.has(entry)) return undefined
      const record = await records.load(entry.uuid, scan)
      if (record === undefined || !inForce(record, at)) return undefined
      return fits === undefined || fits(record) ? record : undefined
    }
    const page = fields.every((field) => INDEXED.includes(field))
      ? await indexedPage(found, keyOf, slice, load)
      : await pageOf(loaded(found, load), keyOf, slice)
    if (scan.outrun && attempt < ATTEMPTS) continue
    const newest = found.reduce(
      (t, e) => (e.validFrom !== undefined && e.validFrom > t ? e.validFrom : t),
      now,
    )
    return {
      items: q.includeContent ? page.items : page.items.map(({ content: _, ...rest }) => rest),
      ...(page.last && { cursor: encodeCursor(query, { atTime: at ?? newest, after: page.last }) }),
    }
  }
}

/** Sorts what the index knows, and reads records in that order until the page is full. */
async function indexedPage(
  found: readonly Entry[],
  keyOf: KeyOf,
  { direction, after, limit }: { direction: 'ASC' | 'DESC'; after?: SortKey; limit: number },
  load: (entry: Entry) => Promise<AspectRecord | undefined>,
): Promise<{ items: readonly AspectRecord[]; last?: SortKey }> {
  const keyed = found
    .map((entry) => ({ entry, key: keyOf(known(entry)) }))
    .filter(({ key }) => after === undefined || compareKeys(key, after, direction) > 0)
    .sort((a, b) => compareKeys(a.key, b.key, direction))
  const items: AspectRecord[] = []
  let last: SortKey | undefined
  for (const { entry, key } of keyed) {
    const record = await load(entry)
    if (record === undefined) continue
    if (items.length === limit) return { items, ...(last && { last }) }
    items.push(record)
    last = key
  }
  return { items }
}

/** As much of the record as the index knows. */
function known({ uuid, entity, schema, validFrom }: Entry): AspectRecord {
  return { id: aspectUrn(uuid), entity, schema, ...(validFrom !== undefined && { validFrom }) }
}

async function* loaded(
  entries: readonly Entry[],
  load: (entry: Entry) => Promise<AspectRecord | undefined>,
): AsyncGenerator<AspectRecord> {
  for (const entry of entries) {
    const record = await load(entry)
    if (record !== undefined) yield record
  }
}
