import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { aspectUuid, type Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { type Entry, entryOf } from '../index/entries.js'
import { closingKey, idKey, pairOf, slotKey } from '../keys.js'
import { readSlot, slotEnd } from './log.js'
import { readRecord } from './read-record.js'
import { standaloneEnd } from './standalone.js'
import { type End, isTombstone, parsePointer, parseStandalone, type StoredRecord } from './texts.js'

export interface FoundRecord {
  readonly record: StoredRecord
  readonly entry: Entry
  /** The key at which its retraction is created. */
  readonly closing: string
  readonly end?: End
}

/** Returns the record of an id. A pointer counts only if its update won the slot. @throws IvcapError `not-found` */
export async function findById(engine: Engine, id: Urn, o: OpOptions): Promise<FoundRecord> {
  const uuid = aspectUuid(id)
  const text = uuid === undefined ? undefined : await readRecord(engine.blobs, idKey(uuid), o)
  if (uuid === undefined || text === undefined || isTombstone(text)) throw unknown(id)
  const pointer = parsePointer(text)
  if (pointer === undefined) {
    const record = parseStandalone(idKey(uuid), uuid, text)
    const end = await standaloneEnd(engine, uuid, record, o)
    const entry = entryOf(pairOf(record.entity, record.schema), uuid, record.validFrom)
    return { record, entry, closing: closingKey(uuid), ...(end && { end }) }
  }
  const { slot } = pointer
  const [found, end] = await Promise.all([
    readSlot(engine, pointer, slot, o),
    slotEnd(engine, pointer, slot, o),
  ])
  const { record } = found ?? {}
  if (record?.id !== id) throw unknown(id)
  const entry = entryOf(pointer, uuid, record.validFrom, slot)
  return { record, entry, closing: slotKey(pointer, slot + 1), ...(end && { end }) }
}

/** Returns the record with its end, if it has one. */
export function withEnd(record: StoredRecord, end: End | undefined): AspectRecord {
  if (end === undefined) return record
  return { ...record, validTo: end.validTo, ...(end.retracter && { retracter: end.retracter }) }
}

function unknown(id: Urn): IvcapError {
  return new IvcapError('not-found', `There is no aspect ${id} here`, { resource: id })
}
