import { isJsonObject, type JsonObject } from '@ivcap/core/driver'
import { UrnText } from '@ivcap/core/internal'
import * as v from 'valibot'
import { type ErrorContext, protocolFailure } from './http/failure.js'

/** Decodes the JSON in the body of a response. @throws IvcapError `protocol` if the body is not JSON of this schema */
export function decodeJson<S extends v.GenericSchema>(
  schema: S,
  text: string,
  context: ErrorContext,
  redact: (text: string) => string,
): v.InferOutput<S> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    if (text.trim() === '') throw protocolFailure(context, 'an empty body instead of JSON', '', true)
    // an HTML page comes from a proxy or another server, so a retry is useless; broken JSON may have been cut off
    const page = text.trimStart().startsWith('<')
    const what = page ? 'a page instead of JSON: is this the url of an IVCAP deployment' : 'broken JSON'
    throw protocolFailure(context, what, redact(text), !page)
  }
  const parsed = v.safeParse(schema, json)
  if (parsed.success) return parsed.output
  throw protocolFailure(context, redact(`JSON of another form (${problemOf(parsed.issues)})`), redact(text))
}

/** The first issue, with the path to it. */
export function problemOf([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  return `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`
}

/** The response to asserting an aspect. It contains only the id. */
export const AssertedJson = v.object({ id: UrnText })

/** A page of a list, whose items are checked one by one. `nextPage` reads `links`, which has several forms. */
export const PageJson = v.object({
  items: v.nullable(v.array(v.unknown())),
  links: v.optional(v.unknown()),
})

export const RowJson = v.custom<JsonObject>(isJsonObject, 'not an object')
