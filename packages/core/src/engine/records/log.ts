/**
 * The log of one (entity, schema): numbered slots, each created once. A slot is a record, or the retraction of the record
 * before it. Both end the slot before them, and nothing else ends a slot. So the record in force is the newest slot, unless
 * that is a retraction: at most one record by construction.
 */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { logPrefix, type Pair, parseSlotKey, slotKey } from '../keys.js'
import { readRecord } from './read-record.js'
import { type End, parseClosing, parseRecord, type StoredRecord } from './texts.js'

export interface Slot {
  readonly slot: number
  /** Absent if the slot is a retraction. */
  readonly record?: StoredRecord
  /** The end of the record before it. */
  readonly ends: End
}

export interface SlotInForce {
  readonly slot: number
  readonly record: StoredRecord
  readonly end?: End
}

/** Returns undefined if the slot has not been created yet. */
export async function readSlot(
  { blobs }: Engine,
  pair: Pair,
  slot: number,
  o: OpOptions,
): Promise<Slot | undefined> {
  const key = slotKey(pair, slot)
  const text = await readRecord(blobs, key, o)
  if (text === undefined) return undefined
  const ends = parseClosing(text)
  if (ends !== undefined) return { slot, ends }
  const record = parseRecord(key, text)
  return { slot, record, ends: { validTo: record.validFrom } }
}

/** The number of the newest slot; undefined before the first update. */
export async function newestSlot({ blobs }: Engine, pair: Pair, o: OpOptions): Promise<number | undefined> {
  const { items } = await blobs.list({ prefix: logPrefix(pair), limit: 1 }, o)
  return items[0] && parseSlotKey(pair, items[0].key)
}

/** Returns the end of a slot; undefined if it is the newest one. */
export async function slotEnd(
  engine: Engine,
  pair: Pair,
  slot: number,
  o: OpOptions,
): Promise<End | undefined> {
  return (await readSlot(engine, pair, slot + 1, o))?.ends
}

/**
 * Returns the slot that is in force, now or at a time. Follows the log from a slot that had begun by that time. Queries use it
 * for a record that may have been replaced while they read the index.
 */
export async function inForceFrom(
  engine: Engine,
  pair: Pair,
  slot: number,
  at: Timestamp | undefined,
  o: OpOptions,
): Promise<SlotInForce | undefined> {
  let here = await readSlot(engine, pair, slot, o)
  while (here !== undefined) {
    const { slot, record }: Slot = here
    const next = await readSlot(engine, pair, slot + 1, o)
    if (next === undefined) return record && { slot, record }
    if (at !== undefined && at < next.ends.validTo) return record && { slot, record, end: next.ends }
    here = next
  }
  return undefined
}
