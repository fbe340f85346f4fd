/**
 * Added records are outside the logs, each at its own key `id/<uuid>/r`, so that many writers don't contend. A record ends when
 * it is retracted, or when an update that read it commits. Before its commit, the update writes a note beside the record:
 * "ends at <time> if slot <n> is <uuid>". Only the slot decides whether a note counts. So an update and all the ends that it
 * causes are atomic, and notes of updates that lost their slot have no effect.
 */

import type { Timestamp } from '../../model/time.js'
import { aspectUrn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { closingKey, idKey, pairOf, slotDigits, timeDigits, timeOfDigits } from '../keys.js'
import { inParallel } from '../parallel.js'
import { listPage } from './blobs.js'
import { readSlot } from './log.js'
import { readRecord } from './read-record.js'
import {
  damaged,
  type End,
  isTombstone,
  parseClosing,
  parsePointer,
  parseStandalone,
  type StoredRecord,
} from './texts.js'

export interface StandaloneEnd extends End {
  /** The slot of the update that ended the record; absent if it was retracted. */
  readonly bySlot?: number
}

interface Note {
  readonly validTo: Timestamp
  readonly slot: number
  readonly by: string
}

const NOTE = /^!(\d{16})-(\d{10})-([0-9a-f-]{36})$/

export const noteKey = (added: string, { validTo, slot, by }: Note): string =>
  `${idKey(added)}!${timeDigits(validTo)}-${slotDigits(slot)}-${by}`

/** Returns the end of an added record, the earliest of its retraction and the updates that replaced it; undefined if open. */
export async function standaloneEnd(
  engine: Engine,
  uuid: string,
  record: StoredRecord,
  o: OpOptions,
): Promise<StandaloneEnd | undefined> {
  const { notes, closed } = await notesAndClosing(engine, uuid, o)
  const pair = pairOf(record.entity, record.schema)
  const reading = inParallel(notes, async ({ validTo, slot, by }): Promise<StandaloneEnd | undefined> => {
    const winner = await readSlot(engine, pair, slot, o)
    return winner?.record?.id === aspectUrn(by) ? { validTo, bySlot: slot } : undefined
  })
  const [closing, ends] = await Promise.all([closed ? readClosing(engine, uuid, o) : undefined, reading])
  return [closing, ...ends].reduce<StandaloneEnd | undefined>(
    (first, end) => (first === undefined || (end && end.validTo < first.validTo) ? end : first),
    undefined,
  )
}

async function notesAndClosing(
  { blobs }: Engine,
  uuid: string,
  o: OpOptions,
): Promise<{ notes: readonly Note[]; closed: boolean }> {
  const prefix = idKey(uuid)
  const notes: Note[] = []
  let closed = false
  let startAfter: string = prefix
  for (;;) {
    const { items, more } = await listPage(blobs, { prefix, startAfter, limit: 100 }, o)
    for (const { key } of items) {
      closed ||= key === closingKey(uuid)
      const [, time, slot, by] = NOTE.exec(key.slice(prefix.length)) ?? []
      if (time !== undefined && slot !== undefined && by !== undefined)
        notes.push({ validTo: timeOfDigits(time), slot: Number(slot), by })
      startAfter = key
    }
    if (!more) return { notes, closed }
  }
}

async function readClosing({ blobs }: Engine, uuid: string, o: OpOptions): Promise<End | undefined> {
  const key = closingKey(uuid)
  const text = await readRecord(blobs, key, o)
  if (text === undefined) return undefined
  const end = parseClosing(text)
  if (end === undefined) throw damaged(key, 'it is no retraction')
  return end
}

/** Returns the record; undefined if it was not committed. */
export async function readStandalone(
  { blobs }: Engine,
  uuid: string,
  o: OpOptions,
): Promise<StoredRecord | undefined> {
  const key = idKey(uuid)
  const text = await readRecord(blobs, key, o)
  if (text === undefined || isTombstone(text) || parsePointer(text) !== undefined) return undefined
  return parseStandalone(key, uuid, text)
}
