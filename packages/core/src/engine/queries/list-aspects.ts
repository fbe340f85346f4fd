/**
 * Lists aspects. In the order of the indexes (`valid_from`, descending) a page costs:
 *
 * | query | requests for k records | longest chain of requests |
 * |---|---|---|
 * | entity and schema | 1–2 LIST (as of a time: 2–3) + k GET | 3 |
 * | entity | 1 LIST (as of: 2), 1 more after each schema that has hundreds of entries, + k GET | 2 (as of: 3) |
 * | schema | 1 LIST (as of: 2) + k GET | 2 (as of: 3) |
 * | pattern of schemas, or everything | 1 LIST, and one for each schema that matches (as of: twice that), + k GET | 3 (as of: 4) |
 *
 * Any other order is a scan: for each page it reads all records of the entity and schema, in bounded memory. With a filter or a
 * content path, a query reads until the page is full: it contains `limit` records, or 8 MiB of content.
 */
import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { type Timestamp, timestamp } from '../../model/time.js'
import { aspectUuid } from '../../model/urn.js'
import type { AspectQuery, OpOptions, Page } from '../../ports/index.js'
import { decodeCursor, encodeCursor, type Position } from '../../query/cursor.js'
import { compareKeys, type SortKey } from '../../query/order.js'
import { PAGE_BYTES, pageOf, sizeOf } from '../../query/page.js'
import { selectAsync } from '../../query/work.js'
import { aspectOrder } from '../../rules/aspect-order.js'
import { type AspectTest, aspectSelector } from '../../rules/aspect-selection.js'
import type { Engine } from '../context.js'
import { AFTER, sortPrefix } from '../index/entries.js'
import { invertTime } from '../keys.js'
import { recordsInForce } from './records-in-force.js'

const SCAN_BATCH = 100
/** Minimum batch of a query with a filter or a content path, which only some of the records match. */
const SELECT_BATCH = 32

export async function listAspects(engine: Engine, q: AspectQuery, o: OpOptions): Promise<Page<AspectRecord>> {
  const matches = aspectSelector(q, o)
  const order = aspectOrder(q.orderBy)
  const { entity, schema, filter, contentPath, orderDirection, atTime } = q
  const query = { entity, schema, filter, contentPath, order: order.fields, orderDirection, atTime }
  const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
  const at = position?.atTime ?? atTime
  const which = { ...(entity !== undefined && { entity }), ...(schema !== undefined && { schema }) }
  const selection: Selection = { ...which, ...(at !== undefined && { at }), ...(matches && { matches }) }
  const indexed = order.fields.length === 1 && order.fields[0] === 'valid_from' && orderDirection === 'DESC'
  const { items, newest, last } = indexed
    ? await newestFirst(engine, selection, position, q, o)
    : await scan(engine, selection, order.keyOf, position, q, o)
  const shown = q.includeContent ? items : items.map(({ content, ...rest }) => rest)
  if (last === undefined) return { items: shown }
  // later pages use the time of the first page; the newest record counts if this clock is behind the writers' clocks
  const pinned = at ?? later(timestamp(engine.clock()), newest)
  return { items: shown, cursor: encodeCursor(query, { atTime: pinned, after: last }) }
}

/** The records that a query selects. */
interface Selection {
  readonly entity?: string
  readonly schema?: string
  readonly at?: Timestamp
  readonly matches?: AspectTest
}

interface Slice {
  readonly items: readonly AspectRecord[]
  /** The latest validFrom of the records found. */
  readonly newest?: Timestamp
  /** Sort key of the last item; absent if no more items follow. */
  readonly last?: SortKey
}

async function newestFirst(
  engine: Engine,
  selection: Selection,
  position: Position | undefined,
  { limit, includeContent }: AspectQuery,
  o: OpOptions,
): Promise<Slice> {
  const { matches } = selection
  const after = position === undefined ? start(selection.at) : nameAfter(position.after)
  const items: AspectRecord[] = []
  let more = true
  let bytes = 0
  const isFull = () => items.length >= limit || bytes > PAGE_BYTES
  const batch = matches === undefined ? limit : Math.max(limit, SELECT_BATCH)
  for await (const { records, more: behind } of recordsInForce(engine, { ...selection, after, batch }, o)) {
    o.signal?.throwIfAborted()
    const fitting = matches === undefined ? records : await selectAsync(records, matches)
    const taken = items.length
    for (const record of fitting) {
      if (isFull()) break
      items.push(record)
      bytes += includeContent ? sizeOf(record) : 0
    }
    more = behind || items.length - taken < fitting.length
    if (isFull()) break
  }
  // a record that replaced another one while the index was read is at the position of the replaced one
  items.sort((a, b) => compareKeys(keyOf(a), keyOf(b), 'DESC'))
  const newest = items[0]?.validFrom
  const last = items.at(-1)
  return {
    items,
    ...(newest !== undefined && { newest }),
    ...(more && last && { last: keyOf(last) }),
  }
}

const keyOf = (record: AspectRecord): SortKey => [record.validFrom ?? null, record.id]

async function scan(
  engine: Engine,
  selection: Selection,
  keyOf: (record: AspectRecord) => SortKey,
  position: Position | undefined,
  { orderDirection, limit, includeContent }: AspectQuery,
  o: OpOptions,
): Promise<Slice> {
  let newest: Timestamp | undefined
  const all = async function* () {
    for await (const { records } of recordsInForce(
      engine,
      { ...selection, after: start(selection.at), batch: SCAN_BATCH },
      o,
    )) {
      o.signal?.throwIfAborted()
      newest = later(records[0]?.validFrom ?? '', newest)
      yield* selection.matches === undefined ? records : await selectAsync(records, selection.matches)
    }
  }
  const page = await pageOf(all(), keyOf, {
    direction: orderDirection,
    limit,
    ...(includeContent && { sizeOf }),
    ...(position && { after: position.after }),
  })
  return { ...page, ...(newest !== undefined && { newest }) }
}

/** The name at which a listing starts. Records that begin after `at` come first and must be skipped. */
const start = (at: Timestamp | undefined): string => (at === undefined ? '' : invertTime(at))

function nameAfter([validFrom, id]: SortKey): string {
  const uuid = typeof id === 'string' ? aspectUuid(id) : undefined
  if (typeof validFrom !== 'string' || uuid === undefined)
    throw new IvcapError('invalid-argument', 'cursor is damaged: use a cursor as it was handed out', {
      argument: 'cursor',
    })
  return `${sortPrefix(validFrom, uuid)}${AFTER}`
}

const later = (a: Timestamp, b: Timestamp | undefined): Timestamp => (b === undefined || a > b ? a : b)
