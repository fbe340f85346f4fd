/** Resolves index entries, which are hints, to the records in force. */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import { inForce } from '../../rules/aspects.js'
import { type Engine, orLeaveOut } from '../context.js'
import { idOf } from '../index/entries.js'
import type { IndexEntry } from '../index/pages.js'
import type { Pair } from '../keys.js'
import { inForceFrom, readSlot, type SlotInForce } from '../records/log.js'
import { readStandalone, standaloneEnd } from '../records/standalone.js'
import type { End, StoredRecord } from '../records/texts.js'

export interface Resolved {
  readonly record: StoredRecord
  readonly end?: End
  readonly pair: Pair
  /** Absent for an added record. */
  readonly slot?: number
}

/** Like `resolve`, but emits an event and returns undefined if the record is damaged. */
export const resolveOrLeaveOut = (
  engine: Engine,
  entry: IndexEntry,
  at: Timestamp | undefined,
  o: OpOptions,
): Promise<Resolved | undefined> => orLeaveOut(engine, idOf(entry), o, () => resolve(engine, entry, at, o))

/**
 * Returns the record of an entry if it is in force, now or at a time. Costs one GET; more only if the entry has a mark: a writer
 * is closing the record, or has crashed meanwhile. If the record has been replaced, returns the record that replaced it, since
 * the entry of that one may have been written after the index was read.
 */
async function resolve(
  engine: Engine,
  entry: IndexEntry,
  at: Timestamp | undefined,
  o: OpOptions,
): Promise<Resolved | undefined> {
  const { pair, slot, marks } = entry
  if (slot === undefined) return await resolveStandalone(engine, entry, at, o)
  if (marks.length > 0) return fromLog(pair, await inForceFrom(engine, pair, slot, at, o))
  const { record } = (await readSlot(engine, pair, slot, o)) ?? {}
  // a hint of a writer that has not committed, or has lost the slot to another writer
  if (record?.id !== idOf(entry)) return undefined
  return { record, pair, slot, ...(entry.end && { end: { validTo: entry.end } }) }
}

function fromLog(pair: Pair, found: SlotInForce | undefined): Resolved | undefined {
  return found && { record: found.record, pair, slot: found.slot, ...(found.end && { end: found.end }) }
}

async function resolveStandalone(
  engine: Engine,
  entry: IndexEntry,
  at: Timestamp | undefined,
  o: OpOptions,
): Promise<Resolved | undefined> {
  const record = await readStandalone(engine, entry.uuid, o)
  if (record === undefined) return undefined
  const { pair, marks } = entry
  if (marks.length === 0) return { record, pair, ...(entry.end && { end: { validTo: entry.end } }) }
  const end = await standaloneEnd(engine, entry.uuid, record, o)
  if (inForce({ ...record, ...(end && { validTo: end.validTo }) }, at))
    return { record, pair, ...(end && { end }) }
  return end?.bySlot === undefined
    ? undefined
    : fromLog(pair, await inForceFrom(engine, pair, end.bySlot, at, o))
}
