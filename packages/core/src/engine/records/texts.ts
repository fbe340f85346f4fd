/** The texts of the engine's blobs: records, pointers to records, retractions. */
import * as v from 'valibot'
import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { parseTimestamp, type Timestamp } from '../../model/time.js'
import { aspectUrn } from '../../model/urn.js'
import { noteSize } from '../../query/page.js'
import { decodeAspect } from '../../rules/aspect-json.js'
import type { Pair } from '../keys.js'

/** A record as it is stored. It contains its start; its end is stored elsewhere. */
export type StoredRecord = AspectRecord & { readonly validFrom: Timestamp }

/** The end of a record. */
export interface End {
  readonly validTo: Timestamp
  readonly retracter?: string
}

/** The location of the record of an id. It is valid only if the update won the slot. */
export interface Pointer extends Pair {
  readonly slot: number
}

/** Maximum characters of a pointer or a retraction. A longer text is a record, and is not parsed to test that. */
const MAX_SMALL = 64 * 1024

/** @throws IvcapError `integrity` if the text is not a record */
export function parseRecord(key: string, text: string): StoredRecord {
  const record = decodeAspect(text)
  if (typeof record === 'string') throw damaged(key, record)
  const { validFrom, ...rest } = record
  if (validFrom === undefined) throw damaged(key, 'it does not say when it begins')
  noteSize(rest.content, text.length)
  return { ...rest, validFrom }
}

/** Parses the added record at `id/<uuid>/r`. @throws IvcapError `integrity`, also if it is the record of another id */
export function parseStandalone(key: string, uuid: string, text: string): StoredRecord {
  const record = parseRecord(key, text)
  if (record.id !== aspectUrn(uuid)) throw damaged(key, `it is the record of ${record.id}`)
  return record
}

export const pointerText = ({ entity, schema, slot }: Pointer): string =>
  JSON.stringify({ entity, schema, slot })

/** Returns undefined if the text is not a pointer: then it is a record. */
export function parsePointer(text: string): Pointer | undefined {
  if (text.length > MAX_SMALL) return undefined
  const parsed = v.safeParse(PointerJson, parseJson(text))
  return parsed.success ? parsed.output : undefined
}

/** The text at the key of a record that can no longer be committed. */
export const TOMBSTONE = JSON.stringify({ given_up: true })
export const isTombstone = (text: string): boolean => text === TOMBSTONE

export const closingText = ({ validTo, retracter }: End, nonce: string): string =>
  JSON.stringify({ valid_to: validTo, retracter, by: nonce })

/** Returns undefined if the text is not a retraction. */
export function parseClosing(text: string): End | undefined {
  if (text.length > MAX_SMALL) return undefined
  const parsed = v.safeParse(ClosingJson, parseJson(text))
  const validTo = parsed.success ? parseTimestamp(parsed.output.valid_to) : undefined
  if (!parsed.success || validTo === undefined) return undefined
  return { validTo, ...(parsed.output.retracter && { retracter: parsed.output.retracter }) }
}

const PointerJson = v.object({ entity: v.string(), schema: v.string(), slot: v.number() })
const ClosingJson = v.object({ valid_to: v.string(), by: v.string(), retracter: v.optional(v.string()) })

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function damaged(key: string, what: string): IvcapError {
  return new IvcapError(
    'integrity',
    `The blob ${key} is not as it was written: ${what}. Restore it from a copy; verify() finds all that is damaged`,
    { resource: key },
  )
}
