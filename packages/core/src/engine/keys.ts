/**
 * The keys of the engine. They are printable ASCII and far shorter than 1,024 bytes:
 *
 * ```
 * artifacts/<uuid>                                 the bytes of an artifact
 * id/<uuid>/r                                      an added aspect, or a pointer to the slot of an updated one
 * id/<uuid>/r.closed                               the retraction of an added aspect
 * id/<uuid>/r!<time>-<slot>-<uuid of that slot>    the end of an added aspect, if that slot has that uuid
 * e/<entity>/<schema>/r/<inverted slot>            the log of one (entity, schema): a slot is a record, or a retraction
 * cur/e/<entity>/<schema>/<entry>   cur/s/<schema>/<entry>      records in force, by entity and by schema
 * past/e/<entity>/<schema>/<entry>  past/s/<schema>/<entry>     closed records with their ends
 * layout                                           the version of this layout
 * ```
 *
 * Entities are hashed, since they may be long and may contain any character. Schemas stay readable, so that a prefix of a
 * schema is a prefix of keys. Slots, times and uuids are inverted where the newest must come first: stores list in ascending
 * order. A store may be a folder: no segment is too long for a file name, no two segments differ by case alone, and keys that
 * are listed together have a folder of their own.
 */
import { sha256 } from '@noble/hashes/sha2'
import { bytesToHex } from '@noble/hashes/utils'
import { micros, type Timestamp, timestamp } from '../model/time.js'

/** An entity and a schema, as they are encoded in keys. Each pair has its own log of slots and its own part of the indexes. */
export interface Pair {
  readonly entity: string
  readonly schema: string
}

/** Bytes of a schema in a key, of 200: the rest is for a hash that distinguishes longer schemas. A colon counts as three bytes. */
const MAX_SCHEMA = 150
const MAX_SLOT = 9_999_999_999
const TIME_DIGITS = 16
const SLOT_DIGITS = 10

export const pairOf = (entity: string, schema: string): Pair => ({
  entity: hashEntity(entity),
  schema: encodeSchema(schema),
})

/** 160 bits of SHA-256, in hex. */
export const hashEntity = (entity: string): string => hash(entity)

/** Keeps lower-case letters, digits and `. : -`; encodes every other byte of the UTF-8 text as `=XX`. */
export function encodeSchema(schema: string): string {
  const text = quote(schema)
  const short = cut(text)
  return short === text ? text : `${short}+${hash(schema)}`
}

/** Returns a prefix that all encodings of schemas that start with `literal` have in common. */
export const encodeSchemaPrefix = (literal: string): string =>
  // the encoding of half a surrogate pair is not a prefix of the encoding of the pair
  cut(quote(literal.replace(/[\ud800-\udbff]$/, '')))

/** Returns the schema; undefined if its encoding was cut: then only the record contains the schema. */
export function decodeSchema(encoded: string): string | undefined {
  if (encoded.includes('+')) return undefined
  const bytes: number[] = []
  for (let i = 0; i < encoded.length; i++) {
    const escaped = encoded[i] === '='
    bytes.push(escaped ? Number.parseInt(encoded.slice(i + 1, i + 3), 16) : encoded.charCodeAt(i))
    if (escaped) i += 2
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

export const contentKey = (uuid: string): string => `artifacts/${uuid}`
export const idKey = (uuid: string): string => `id/${uuid}/r`
export const logPrefix = ({ entity, schema }: Pair): string => `e/${entity}/${schema}/r/`
export const slotKey = (pair: Pair, slot: number): string => `${logPrefix(pair)}${invertSlot(slot)}`

/** The key of the retraction of an added record. */
export const closingKey = (uuid: string): string => `${idKey(uuid)}.closed`

/** The number of the slot at a key below `logPrefix`. */
export function parseSlotKey(pair: Pair, key: string): number | undefined {
  const digits = key.slice(logPrefix(pair).length)
  return /^\d{10}$/.test(digits) ? MAX_SLOT - Number(digits) : undefined
}

const invertSlot = (slot: number): string => String(MAX_SLOT - slot).padStart(SLOT_DIGITS, '0')
export const slotDigits = (slot: number): string => String(slot).padStart(SLOT_DIGITS, '0')

/** Fixed width; times before 1970 count as 1970. */
export function timeDigits(time: Timestamp): string {
  return String(clamp(micros(time))).padStart(TIME_DIGITS, '0')
}

export const invertTime = (time: Timestamp): string =>
  String(Number.MAX_SAFE_INTEGER - clamp(micros(time))).padStart(TIME_DIGITS, '0')

export const timeOfDigits = (digits: string): Timestamp => timestamp(Number(digits))
export const timeOfInverted = (digits: string): Timestamp =>
  timestamp(Number.MAX_SAFE_INTEGER - Number(digits))

/** Replaces each hex digit d by 15 - d, so that greater ids come first. The function is its own inverse. */
export const invertUuid = (uuid: string): string =>
  uuid.replace(/[0-9a-f]/g, (digit) => INVERTED[digit] ?? digit)

const INVERTED: Readonly<Record<string, string>> = Object.fromEntries(
  [...'0123456789abcdef'].map((digit, i) => [digit, (15 - i).toString(16)]),
)

const clamp = (us: number): number => Math.min(Math.max(us, 0), Number.MAX_SAFE_INTEGER)
const hash = (text: string): string => bytesToHex(sha256(new TextEncoder().encode(text))).slice(0, 40)

/** Cuts a text to MAX_SCHEMA bytes, but not in the middle of an escape. */
function cut(text: string): string {
  let width = 0
  for (let i = 0; i < text.length; i++) {
    width += text[i] === ':' ? 3 : 1
    if (width > MAX_SCHEMA) return text.slice(0, i).replace(/=.?$/, '')
  }
  return text
}

function quote(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const char = String.fromCharCode(byte)
    return /[a-z0-9.:-]/.test(char) ? char : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}
