/** What the engine's blobs hold: a record, a pointer to one, a retraction. */
import * as v from 'valibot'
import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { parseTimestamp, type Timestamp } from '../../model/time.js'
import { aspectUrn } from '../../model/urn.js'
import { noteSize } from '../../query/page.js'
import { decodeAspect } from '../../rules/aspect-json.js'
import type { Pair } from '../keys.js'

/** A record as it is stored: it tells when it begins; its end is told elsewhere. */
export type StoredRecord = AspectRecord & { readonly validFrom: Timestamp }

/** The end of a record. */
export interface End {
  readonly validTo: Timestamp
  readonly retracter?: string
}

/** Where the record of an id is, if its slot was won. */
export interface Pointer extends Pair {
  readonly slot: number
}

/** Characters of a pointer or a retraction: a longer text is a record, and need not be parsed to see that. */
const MAX_SMALL = 64 * 1024

/** @throws IvcapError `integrity` when the blob holds something else */
export function parseRecord(key: string, text: string): StoredRecord {
  const record = decodeAspect(text)
  if (typeof record === 'string') throw damaged(key, record)
  const { validFrom, ...rest } = record
  if (validFrom === undefined) throw damaged(key, 'it does not say when it begins')
  noteSize(rest.content, text.length)
  return { ...rest, validFrom }
}

/** The added record at `id/<uuid>/r`. @throws IvcapError `integrity` also when it is the record of another id */
export function parseStandalone(key: string, uuid: string, text: string): StoredRecord {
  const record = parseRecord(key, text)
  if (record.id !== aspectUrn(uuid)) throw damaged(key, `it is the record of ${record.id}`)
  return record
}

export const pointerText = ({ entity, schema, slot }: Pointer): string =>
  JSON.stringify({ entity, schema, slot })

/** Undefined when the text is no pointer: then it is a record. */
export function parsePointer(text: string): Pointer | undefined {
  if (text.length > MAX_SMALL) return undefined
  const parsed = v.safeParse(PointerJson, parseJson(text))
  return parsed.success ? parsed.output : undefined
}

/** Stands for a record that can't come any more. */
export const TOMBSTONE = JSON.stringify({ given_up: true })
export const isTombstone = (text: string): boolean => text === TOMBSTONE

export const closingText = ({ validTo, retracter }: End, nonce: string): string =>
  JSON.stringify({ valid_to: validTo, retracter, by: nonce })

/** Undefined when the text is no retraction. */
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
