import type { JsonValue } from '@ivcap/core/driver'
import { isJson, mayBeJson, parseJson } from '@ivcap/core/internal'
import type { HttpResponse } from '../http/response.js'

/** The beginning of a JSON text, after white space and a byte order mark. */
const BEGINNING = /^[\ufeff\s]*([{["\-\dtfn]|$)/

/**
 * Returns the JSON in a body; undefined if the body is not JSON. Unless the type is JSON, a body that does not begin like JSON is
 * not read further.
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
