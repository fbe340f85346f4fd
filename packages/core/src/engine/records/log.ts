/**
 * The log of one (entity, schema): numbered slots, each created once. A slot is a record, or the retraction of the record
 * before it; either way it ends the one before it, and nothing else does. So the newest slot, unless it is a retraction, is
 * what is in force: at most one by construction.
 */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { logPrefix, type Pair, parseSlotKey, slotKey } from '../keys.js'
import { readRecord } from './read-record.js'
import { type End, parseClosing, parseRecord, type StoredRecord } from './texts.js'

export interface Slot {
  readonly slot: number
  /** Absent: it is a retraction. */
  readonly record?: StoredRecord
  /** How the record before it ended. */
  readonly ends: End
}

export interface SlotInForce {
  readonly slot: number
  readonly record: StoredRecord
  readonly end?: End
}

/** Undefined if it has not been created yet. */
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

/** How a slot ended, if it did. */
export async function slotEnd(
  engine: Engine,
  pair: Pair,
  slot: number,
  o: OpOptions,
): Promise<End | undefined> {
  return (await readSlot(engine, pair, slot + 1, o))?.ends
}

/**
 * What is in force, now or at a time, going up the log from a slot that had begun by then. This is how a record is
 * answered that was being replaced while an index was read.
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
