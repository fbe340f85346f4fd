import type { JsonValue } from '@ivcap/core/driver'
import { isJson, mayBeJson, parseJson } from '@ivcap/core/internal'
import type { HttpResponse } from '../http/response.js'

/** What a JSON text begins with, behind blanks and a byte order mark. */
const BEGINNING = /^[\ufeff\s]*([{["\-\dtfn]|$)/

/**
 * The JSON in a body; undefined if it is something else, of which no more than the beginning is read unless its type says JSON.
 */
export async function readJson(
  response: HttpResponse,
  type: string | undefined,
): Promise<JsonValue | undefined> {
  if (!mayBeJson(type)) {
    await response.cancel()
    return undefined
  }
  const decoder = new TextDecoder()
  const text = await response.text(
    (first) => isJson(type) || BEGINNING.test(decoder.decode(first.subarray(0, 64))),
  )
  return text === undefined ? undefined : parseJson(text)
}
