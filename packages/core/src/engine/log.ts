/**
 * The log of one (entity, schema): numbered slots, each a record, each created once. The newest slot, unless it was
 * closed, is what is in force: at most one by construction. A slot ends when it was retracted or when the next one begins,
 * whichever is earlier.
 */

import type { Timestamp } from '../model/time.js'
import type { OpOptions } from '../ports.js'
import { earlierEnd } from '../rules/aspects.js'
import type { Engine } from './context.js'
import { closingKey, logPrefix, type Pair, parseSlotKey, slotKey } from './keys.js'
import { readText } from './objects.js'
import { type End, parseClosing, parseRecord, type StoredRecord } from './records.js'

export interface Slot {
  readonly slot: number
  readonly record: StoredRecord
  readonly end?: End
}

export async function readSlot(
  { blobs }: Engine,
  pair: Pair,
  slot: number,
  o: OpOptions,
): Promise<StoredRecord | undefined> {
  const key = slotKey(pair, slot)
  const text = await readText(blobs, key, o)
  return text === undefined ? undefined : parseRecord(key, text)
}

/** The newest slot with its retraction; undefined before the first update. One LIST, and a GET of what it shows. */
export async function readHead(engine: Engine, pair: Pair, o: OpOptions): Promise<Slot | undefined> {
  const { items } = await engine.blobs.list({ prefix: logPrefix(pair), limit: 2 }, o)
  const [first, second] = items.map(({ key }) => parseSlotKey(pair, key))
  if (first === undefined || first.closing) return undefined
  const { slot } = first
  const closed = second?.closing === true && second.slot === slot
  const [record, end] = await Promise.all([
    readSlot(engine, pair, slot, o),
    closed ? readClosing(engine, slotKey(pair, slot), o) : undefined,
  ])
  return record && { slot, record, ...(end && { end }) }
}

/** How a slot ended, if it did. */
export async function slotEnd(
  engine: Engine,
  pair: Pair,
  slot: number,
  o: OpOptions,
): Promise<End | undefined> {
  const [next, closing] = await Promise.all([
    readSlot(engine, pair, slot + 1, o),
    readClosing(engine, slotKey(pair, slot), o),
  ])
  const validTo = earlierEnd(next?.validFrom, closing?.validTo)
  if (validTo === undefined) return undefined
  return closing?.validTo === validTo ? closing : { validTo }
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
): Promise<Slot | undefined> {
  let here = await readSlot(engine, pair, slot, o)
  if (here === undefined) return undefined
  for (let n = slot; ; n++) {
    const next = await readSlot(engine, pair, n + 1, o)
    if (next === undefined || (at !== undefined && at < next.validFrom)) {
      const closing = await readClosing(engine, slotKey(pair, n), o)
      const validTo = earlierEnd(next?.validFrom, closing?.validTo)
      if (validTo === undefined) return { slot: n, record: here }
      if (at === undefined || validTo <= at) return undefined
      return { slot: n, record: here, end: closing?.validTo === validTo ? closing : { validTo } }
    }
    here = next
  }
}

/** The retraction of the record under a key. */
export async function readClosing(
  { blobs }: Engine,
  recordKey: string,
  o: OpOptions,
): Promise<End | undefined> {
  const key = closingKey(recordKey)
  const text = await readText(blobs, key, o)
  return text === undefined ? undefined : parseClosing(key, text)
}
