import * as v from 'valibot'
import { isJsonObject, type JsonObject, parseJson } from '../model/json.js'
import type { AspectRecord } from '../model/records.js'
import { parseTimestamp, type Timestamp } from '../model/time.js'
import { aspectUuid, isUrn, type Urn } from '../model/urn.js'

/**
 * Encodes an aspect as JSON. It has the keys of IVCAP's Python client in local mode (`id entity schema content valid_from
 * valid_to`), followed by keys that the client does not know. Only small, shallow records are indented: with indentation, deeply
 * nested content would take a hundred times the space.
 */
export function encodeAspect(record: AspectRecord): string {
  const { id, entity, schema, content, validFrom, validTo, asserter, retracter, policy, account, replaces } =
    record
  const json = {
    id,
    entity,
    schema,
    content,
    valid_from: validFrom,
    valid_to: validTo ?? null,
    asserter,
    retracter,
    policy,
    account,
    replaces,
  }
  const text = JSON.stringify(json)
  const isReadable = text.length <= INDENTED && !isDeeper(content, DEPTH)
  return `${isReadable ? JSON.stringify(json, null, 2) : text}\n`
}

/** Maximum characters and levels of a record that is indented. Deep records would take many times the space. */
const INDENTED = 64 * 1024
const DEPTH = 32

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((member) => isDeeper(member, depth - 1))
}

/** Returns the record in `text`, or a short description of what is wrong with it. Ignores unknown keys. */
export function decodeAspect(text: string): AspectRecord | string {
  // editors on Windows put a byte order mark at the start
  const json = parseJson(text.replace(/^\ufeff/, ''))
  if (json === undefined) return text.trim() === '' ? 'it is empty' : 'it is not JSON'
  const parsed = v.safeParse(AspectJson, json)
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  const path = v.getDotPath(issue)
  return path === null ? issue.message : `${path}: ${issue.message}`
}

const Time = v.pipe(
  v.string(),
  v.transform((text) => parseTimestamp(text)),
  v.custom<Timestamp>((time) => typeof time === 'string', 'not an ISO 8601 time'),
)
const Text = v.pipe(v.string(), v.minLength(1))
const UrnText = v.custom<Urn>(isUrn, 'not a URN')
const AspectJson = v.pipe(
  v.object({
    id: v.custom<Urn>((id) => typeof id === 'string' && aspectUuid(id) !== undefined, 'not an aspect URN'),
    entity: Text,
    schema: Text,
    content: v.custom<JsonObject>(isJsonObject, 'not a JSON object'),
    valid_from: v.nullish(Time),
    valid_to: v.nullish(Time),
    asserter: v.nullish(v.string()),
    retracter: v.nullish(v.string()),
    policy: v.nullish(UrnText),
    account: v.nullish(v.string()),
    replaces: v.nullish(UrnText),
  }),
  v.transform(
    (json): AspectRecord => ({
      id: json.id,
      entity: json.entity,
      schema: json.schema,
      content: json.content,
      ...(json.valid_from && { validFrom: json.valid_from }),
      ...(json.valid_to && { validTo: json.valid_to }),
      ...(json.asserter && { asserter: json.asserter }),
      ...(json.retracter && { retracter: json.retracter }),
      ...(json.policy && { policy: json.policy }),
      ...(json.account && { account: json.account }),
      ...(json.replaces && { replaces: json.replaces }),
    }),
  ),
)
