import * as v from 'valibot'
import { IvcapError } from '../model/errors.js'
import { parseJson } from '../model/json.js'
import type { SortKey } from './order.js'

/** The state of a listing in its cursor. */
export interface Position {
  /** The time of the listing, fixed when it began. */
  readonly atTime: string
  /** Sort key of the last item returned. */
  readonly after: SortKey
}

const Wire = v.object({
  q: v.string(),
  t: v.string(),
  a: v.array(v.union([v.string(), v.number(), v.null()])),
})

/** @param query everything that determines the items and their order; the cursor is valid only for an equal query */
export function encodeCursor(query: object, position: Position): string {
  return toBase64Url(JSON.stringify({ q: fingerprint(query), t: position.atTime, a: position.after }))
}

/** @throws IvcapError `invalid-argument` if the cursor is damaged, or belongs to another query */
export function decodeCursor(query: object, cursor: string): Position {
  const wire = v.safeParse(Wire, parseJson(fromBase64Url(cursor)))
  if (!wire.success) throw invalid('is damaged: use a cursor as it was handed out')
  if (wire.output.q !== fingerprint(query)) throw invalid('belongs to another query: start again without it')
  return { atTime: wire.output.t, after: wire.output.a }
}

/** FNV-1a hash of the query's JSON. Distinguishes queries; not a protection. Depends on the order of the object's keys. */
function fingerprint(query: object): string {
  let hash = 0x811c9dc5
  for (const char of JSON.stringify(query)) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  }
  return (hash >>> 0).toString(36)
}

function toBase64Url(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function fromBase64Url(text: string): string {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
  } catch {
    return ''
  }
}

function invalid(what: string): IvcapError {
  return new IvcapError('invalid-argument', `cursor ${what}`, { argument: 'cursor' })
}
