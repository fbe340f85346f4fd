/** Reads all records of a store without the indexes: added records below `id/`, records of updates in their logs. */

import { isIvcapError } from '../../model/errors.js'
import type { Problem } from '../../model/problems.js'
import { aspectUuid } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { type Entry, entryOf } from '../index/entries.js'
import { idKey, type Pair, pairOf, parseSlotKey, slotKey } from '../keys.js'
import { inParallel } from '../parallel.js'
import { listPage, readText } from '../records/blobs.js'
import { readSlot, type Slot } from '../records/log.js'
import { standaloneEnd } from '../records/standalone.js'
import { isTombstone, parsePointer, parseStandalone, type StoredRecord } from '../records/texts.js'

export interface LocatedRecord {
  readonly record: StoredRecord
  readonly entry: Entry
  /** The key of the record. */
  readonly key: string
}

export interface Finding {
  readonly problem: Problem
}

const PAGE = 200
const RECORD = /^id\/([0-9a-f-]{36})\/r(.*)$/

export async function* allRecords(engine: Engine, o: OpOptions): AsyncGenerator<LocatedRecord | Finding> {
  yield* addedRecords(engine, o)
  yield* slotRecords(engine, o)
}

async function* addedRecords(engine: Engine, o: OpOptions): AsyncGenerator<LocatedRecord | Finding> {
  let latest: string | undefined
  for await (const keys of keyPages(engine, 'id/', o)) {
    const parsed = keys.map((key) => ({ key, match: RECORD.exec(key) }))
    const results = await inParallel(parsed, async ({ key, match }) => {
      const [, uuid = '', tail] = match ?? []
      return tail === '' ? await readAddedRecord(engine, key, uuid, o) : undefined
    })
    for (const [i, { key, match }] of parsed.entries()) {
      const [, uuid, tail] = match ?? []
      if (uuid === undefined) continue
      if (tail === '') latest = uuid
      // a closing or a note is written only beside a record
      else if (latest !== uuid)
        yield unreadable(key, `The record ${idKey(uuid)} is lost: only its end, ${key}, is there`)
      const result = results[i]
      if (result !== undefined) yield result
    }
  }
}

/** Returns undefined for a pointer, a tombstone, or a key that no longer exists. */
async function readAddedRecord(
  engine: Engine,
  key: string,
  uuid: string,
  o: OpOptions,
): Promise<LocatedRecord | Finding | undefined> {
  try {
    const text = await readText(engine.blobs, key, o)
    if (text === undefined || isTombstone(text) || parsePointer(text) !== undefined) return undefined
    const record = parseStandalone(key, uuid, text)
    // an end that cannot be read is reported only here
    await standaloneEnd(engine, uuid, record, o)
    return { record, key, entry: entryOf(pairOf(record.entity, record.schema), uuid, record.validFrom) }
  } catch (error) {
    if (!isIvcapError(error, 'integrity')) throw error
    return unreadable(error.resource ?? key, error.message)
  }
}

async function* slotRecords(engine: Engine, o: OpOptions): AsyncGenerator<LocatedRecord | Finding> {
  /** Log and slot of the previous key: the keys of one log are in descending order of slots. */
  let before: { readonly log: string; readonly slot: number } | undefined
  for await (const keys of keyPages(engine, 'e/', o)) {
    const slots = keys.flatMap((key) => parseLogKey(key) ?? [])
    const results = await inParallel(slots, ({ pair, slot }) => readSlotRecord(engine, pair, slot, o))
    for (const [i, { pair, slot }] of slots.entries()) {
      const log = `${pair.entity}/${pair.schema}`
      if (before !== undefined && before.log !== log) yield* lostSlots(before.log, 0, before.slot)
      if (before?.log === log) yield* lostSlots(log, slot, before.slot)
      before = { log, slot }
      const result = results[i]
      if (result !== undefined) yield result
    }
  }
  if (before !== undefined) yield* lostSlots(before.log, 0, before.slot)
}

/** Reports the missing slots between two slots: slots are numbered from 1 without gaps. */
function* lostSlots(log: string, below: number, above: number): Generator<Finding> {
  const [entity = '', schema = ''] = log.split('/')
  if (above - below < 2) return
  const key = slotKey({ entity, schema }, above - 1)
  const many = above - below === 2 ? 'The record' : `${above - below - 1} records from`
  yield unreadable(key, `${many} ${key} is lost: restore it from a copy`)
}

async function readSlotRecord(
  engine: Engine,
  pair: Pair,
  slot: number,
  o: OpOptions,
): Promise<LocatedRecord | Finding | undefined> {
  const key = slotKey(pair, slot)
  try {
    const found: Slot | undefined = await readSlot(engine, pair, slot, o)
    const record = found?.record
    const uuid = record && aspectUuid(record.id)
    if (record === undefined || uuid === undefined) return undefined
    return { record, key, entry: entryOf(pair, uuid, record.validFrom, slot) }
  } catch (error) {
    if (!isIvcapError(error, 'integrity')) throw error
    return unreadable(key, error.message)
  }
}

function parseLogKey(key: string): { readonly pair: Pair; readonly slot: number } | undefined {
  const [, entity, schema] = key.split('/')
  if (entity === undefined || schema === undefined) return undefined
  const pair = { entity, schema }
  const slot = parseSlotKey(pair, key)
  return slot === undefined ? undefined : { pair, slot }
}

/** All keys below a prefix, page by page. */
export async function* keyPages(
  { blobs }: Engine,
  prefix: string,
  o: OpOptions,
): AsyncGenerator<readonly string[]> {
  for (let startAfter: string | undefined; ; ) {
    const { items, more } = await listPage(
      blobs,
      { prefix, limit: PAGE, ...(startAfter && { startAfter }) },
      o,
    )
    yield items.map(({ key }) => key)
    if (!more) return
    startAfter = items.at(-1)?.key
  }
}

export const unreadable = (resource: string, message: string): Finding => ({
  problem: { kind: 'unreadable-record', resource, message, repairable: false },
})
