/** The records that match a query, in the order of the index: the latest validFrom first, then the greatest id. */

import type { AspectRecord } from '../../model/records.js'
import type { Timestamp } from '../../model/time.js'
import { aspectUuid } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { PAGE_BYTES, sizeOf } from '../../query/page.js'
import { schemaMatcher } from '../../rules/aspects.js'
import { type Engine, orLeaveOut } from '../context.js'
import { BY_SCHEMA, byEntity, entryOf, type Scope, sortPrefix } from '../index/entries.js'
import { type IndexEntry, listEntries } from '../index/pages.js'
import { entries, entriesOfSchema } from '../index/stream.js'
import { hashEntity, type Pair, pairOf } from '../keys.js'
import { inParallel } from '../parallel.js'
import { withEnd } from '../records/find-by-id.js'
import { newestSlot, readSlot } from '../records/log.js'
import type { StoredRecord } from '../records/texts.js'
import { type Resolved, resolveOrLeaveOut } from './resolve.js'

export interface RecordQuery {
  readonly entity?: string
  readonly schema?: string
  /** Selects records that were in force at this time; absent: records that are not closed. */
  readonly at?: Timestamp
  /** Selects names after this one. */
  readonly after: string
  /** Maximum number of records in a batch. They are read ahead and held in memory. */
  readonly batch: number
}

export interface Batch {
  readonly records: readonly AspectRecord[]
  /** Whether more batches may follow. */
  readonly more: boolean
}

type Candidate = IndexEntry & { readonly resolved?: Promise<Resolved | undefined> }
/** Entries that are requested in addition to a batch, so that a few hints without a record cost no further LIST. */
const SLACK = 8
/** Number of records that are read before their total size is checked. */
const AT_ONCE = 16

/** Yields batches of records. A batch is full unless it is the last, or its records are large. Each record costs a GET. */
export async function* recordsInForce(engine: Engine, q: RecordQuery, o: OpOptions): AsyncGenerator<Batch> {
  const size = q.batch + SLACK
  const scope = q.entity === undefined ? BY_SCHEMA : byEntity(hashEntity(q.entity))
  const { entity, schema } = q
  const isPair = entity !== undefined && schema !== undefined && !schema.includes('%')
  const candidates: AsyncGenerator<Candidate> = isPair
    ? candidatesOfPair(engine, { ...q, entity, schema }, scope, o)
    : entries(engine, { ...q, scope, size }, o)
  const seen = new Set<string>()
  let next = await candidates.next()
  for (;;) {
    const found: Resolved[] = []
    let bytes = 0
    while (!next.done && found.length < q.batch && bytes <= PAGE_BYTES) {
      const some: Candidate[] = []
      const most = Math.min(q.batch - found.length, AT_ONCE)
      for (; !next.done && some.length < most; next = await candidates.next()) some.push(next.value)
      const all = await inParallel(some, (c) => c.resolved ?? resolveOrLeaveOut(engine, c, q.at, o))
      for (const one of all) {
        if (one === undefined || seen.has(one.record.id) || !matches(q, one)) continue
        found.push(one)
        bytes += sizeOf(one.record)
      }
    }
    const records = newestOfEachLog(found)
    for (const { id } of records) seen.add(id)
    yield { records, more: !next.done }
    if (next.done) return
  }
}

/**
 * If entity and schema are given, the log itself determines the slot in force, whatever the index shows meanwhile. The log is
 * listed after the entries in `cur/`, concurrently with those in `past/`, and only if it may have slots.
 */
async function* candidatesOfPair(
  engine: Engine,
  q: RecordQuery & { readonly entity: string; readonly schema: string },
  scope: Scope,
  o: OpOptions,
): AsyncGenerator<Candidate> {
  const { at, after } = q
  const pair = pairOf(q.entity, q.schema)
  const size = q.batch + SLACK
  const cur = await listEntries(engine.blobs, { tense: 'cur', scope, schema: pair.schema }, after, size, o)
  const stream = entriesOfSchema(engine, { ...q, scope, size }, { schema: pair.schema, cur }, o)
  const isStandalone = ({ slot, marks }: IndexEntry) => slot === undefined && marks.length === 0
  if (cur.entries.length > 0 && cur.entries.slice(0, q.batch).every(isStandalone)) return yield* stream

  const [newest, firstResult] = await Promise.all([newestSlot(engine, pair, o), stream.next()])
  const first: Candidate[] = []
  let next = firstResult
  for (; !next.done && first.length < AT_ONCE; next = await stream.next()) first.push(next.value)
  const rest = async function* () {
    yield* first
    for (; !next.done; next = await stream.next()) yield next.value
  }
  const reading =
    newest === undefined
      ? undefined
      : orLeaveOut(engine, q.entity, o, () => readSlot(engine, pair, newest, o))
  // read these records concurrently with the newest slot, not after it
  for (const [i, entry] of first.entries())
    if (at !== undefined || entry.slot === undefined) first[i] = resolving(engine, entry, at, o)
  const head = await reading
  // the newest slot, a record or a retraction, began after `at`: an earlier record was in force
  if (head !== undefined && at !== undefined && at < head.ends.validTo) return yield* rest()
  let slot = head?.record && candidate(pair, head.slot, head.record)
  if (slot !== undefined && slot.name <= after) slot = undefined
  for await (const entry of rest()) {
    if (slot !== undefined && slot.name <= entry.name) {
      yield slot
      slot = undefined
    }
    if (entry.slot === undefined) yield entry
  }
  if (slot !== undefined) yield slot
}

function resolving(engine: Engine, entry: IndexEntry, at: Timestamp | undefined, o: OpOptions): Candidate {
  const resolved = resolveOrLeaveOut(engine, entry, at, o)
  // a failure is reported where the promise is awaited
  resolved.catch(() => {})
  return { ...entry, resolved }
}

function candidate(pair: Pair, slot: number, record: StoredRecord): Candidate | undefined {
  const uuid = aspectUuid(record.id)
  return uuid === undefined
    ? undefined
    : {
        ...entryOf(pair, uuid, record.validFrom, slot),
        marks: [],
        resolved: Promise.resolve({ record, pair, slot }),
      }
}

/** Very long schemas may share a key. A record that replaced another one may belong to an earlier page. */
function matches(q: RecordQuery, { record }: Resolved): boolean {
  if (q.entity !== undefined && record.entity !== q.entity) return false
  const uuid = aspectUuid(record.id)
  return (
    schemaMatcher(q.schema)(record.schema) &&
    uuid !== undefined &&
    `${sortPrefix(record.validFrom, uuid)}-` > q.after
  )
}

/** An index may show a slot and the next one while the next is being written: the later slot has ended the earlier one. */
function newestOfEachLog(found: readonly Resolved[]): readonly AspectRecord[] {
  const heads = new Map<string, number>()
  for (const { pair, slot } of found) {
    const log = `${pair.entity}/${pair.schema}`
    if (slot !== undefined) heads.set(log, Math.max(slot, heads.get(log) ?? 0))
  }
  const ids = new Set<string>()
  return found
    .filter(({ record, pair, slot }) => {
      const first = !ids.has(record.id)
      ids.add(record.id)
      return first && (slot === undefined || heads.get(`${pair.entity}/${pair.schema}`) === slot)
    })
    .map(({ record, end }) => withEnd(record, end))
    .sort((a, b) => (sortName(a) < sortName(b) ? -1 : 1))
}

const sortName = (record: AspectRecord): string =>
  sortPrefix(record.validFrom ?? '', aspectUuid(record.id) ?? '')
