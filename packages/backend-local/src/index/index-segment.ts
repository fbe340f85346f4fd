import { createHash } from 'node:crypto'
import { isJsonObject } from '@ivcap/core/driver'
import { ROW_BYTES } from './aspect-rows.js'
import type { PackedRows } from './aspect-table.js'

/** One piece of the index's file: what was learnt at one time. */
export interface Segment extends PackedRows {
  /** Uuids whose files are gone. */
  readonly gone?: readonly string[]
  /** Said when all that was there is in this and the segments before. */
  readonly seen?: Seen
}

/** The state of the folder of aspects when its names were read, and the names in it that are no aspects. */
export interface Seen {
  /** When the folder was last changed, in ns. */
  readonly changed: bigint
  readonly refused: readonly string[]
}

/**
 * A segment as bytes: `ivcapix1`, the lengths of what follows (4 bytes each), the first 8 bytes of its SHA-256; then the rows,
 * and JSON with all else. As the machine orders bytes: on one that orders them otherwise, the length makes no sense.
 */
export function encodeSegment({ rows, entities, schemas, gone, seen }: Segment): Uint8Array {
  const json = { entities, schemas, gone, seen: seen && { ...seen, changed: String(seen.changed) } }
  const rest = new TextEncoder().encode(JSON.stringify(json))
  const bytes = new Uint8Array(HEAD + rows.byteLength + rest.byteLength)
  bytes.set(MAGIC)
  bytes.set(new Uint8Array(Uint32Array.of(rows.byteLength, rest.byteLength).buffer), 8)
  bytes.set(rows, HEAD)
  bytes.set(rest, HEAD + rows.byteLength)
  bytes.set(checksum(bytes.subarray(HEAD)), 16)
  return bytes
}

/** Bytes before a segment's own. */
export const HEAD = 24
const MAGIC = new TextEncoder().encode('ivcapix1')
/** A longer one was never written. */
const LONGEST = 64 * 1024 * 1024

/** The segment at `at` and where it ends; how many bytes it takes, if not all are there; undefined when it is none. */
export function decodeSegment(
  bytes: Uint8Array,
  at: number,
): { readonly segment: Segment; readonly end: number } | { readonly needs: number } | undefined {
  if (bytes.byteLength - at < HEAD) return { needs: HEAD }
  const head = bytes.slice(at, at + HEAD)
  if (!same(head.subarray(0, 8), MAGIC)) return undefined
  const [rowsLength = 0, restLength = 0] = new Uint32Array(head.buffer, 8, 2)
  const length = HEAD + rowsLength + restLength
  if (length > LONGEST || rowsLength % ROW_BYTES !== 0) return undefined
  const end = at + length
  if (end > bytes.byteLength) return { needs: length }
  if (!same(checksum(bytes.subarray(at + HEAD, end)), head.subarray(16))) return undefined
  const rows = bytes.subarray(at + HEAD, at + HEAD + rowsLength)
  const rest = decodeRest(new TextDecoder().decode(bytes.subarray(at + HEAD + rowsLength, end)))
  return rest && { segment: { rows, ...rest }, end }
}

function decodeRest(text: string): Omit<Segment, 'rows'> | undefined {
  const json = parse(text)
  if (!isJsonObject(json)) return undefined
  const { entities, schemas, gone, seen } = json
  if (!areTexts(entities) || !areTexts(schemas)) return undefined
  return { entities, schemas, ...(areTexts(gone) && { gone }), ...decodeSeen(seen) }
}

function decodeSeen(seen: unknown): { seen: Seen } | undefined {
  if (!isJsonObject(seen)) return undefined
  const { changed, refused } = seen
  if (typeof changed !== 'string' || !/^\d{1,20}$/.test(changed) || !areTexts(refused)) return undefined
  return { seen: { changed: BigInt(changed), refused } }
}

const areTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const checksum = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest().subarray(0, 8)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
