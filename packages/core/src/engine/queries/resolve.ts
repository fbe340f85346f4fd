/** From entries of an index, which are hints, to the records that are in force. */

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
  /** Absent: an added one. */
  readonly slot?: number
}

/** As `resolve`; a record that is damaged is left out, with an event. */
export const resolveOrLeaveOut = (
  engine: Engine,
  entry: IndexEntry,
  at: Timestamp | undefined,
  o: OpOptions,
): Promise<Resolved | undefined> => orLeaveOut(engine, idOf(entry), o, () => resolve(engine, entry, at, o))

/**
 * The record that an entry leads to, if it is in force, now or at a time. One GET; more only where the entry bears a mark,
 * that is while a writer closes the record, or after a crash there. What took its place answers then: its own entry may
 * have been written after the index was read.
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
  // a hint of a writer that has not committed, or lost the slot to another
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
