import {
  type ArtifactRecord,
  type AspectRecord,
  isJsonObject,
  isUrn,
  type JsonObject,
  omitUndefined,
  type Urn,
} from '@ivcap/core/driver'
import { ARTIFACT_STATUSES, parseTimestamp } from '@ivcap/core/internal'
import * as v from 'valibot'
import { type ErrorContext, protocolFailure } from './http/failure.js'

/** The JSON in the body of an answer. @throws IvcapError `protocol` that says what it is instead */
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
    // a page is somebody else's answer: a proxy's, or that of another server. JSON may have been cut off.
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

const NO_SIZE = 'not a number of bytes from 0 to 2^53 - 1'

/** Text, or nothing where it is absent, null or not a text. */
const Text = v.fallback(v.optional(v.string()), undefined)
const UrnText = v.custom<Urn>(isUrn, 'not a URN')
const OptionalUrn = v.fallback(v.optional(UrnText), undefined)
const Time = v.pipe(
  Text,
  v.transform((text) => (text === undefined ? undefined : parseTimestamp(text))),
)
/** A time that must not be guessed: whether a record is in force depends on it. */
const StrictTime = v.pipe(
  v.nullish(v.string()),
  v.transform((text) => text || undefined),
  v.check((text) => text === undefined || parseTimestamp(text) !== undefined, 'not a time'),
  v.transform((text) => (text === undefined ? undefined : parseTimestamp(text))),
)
/** Bytes; null and -1 stand for unknown. */
const Size = v.pipe(
  v.nullish(v.union([v.literal(-1), v.pipe(v.number(), v.safeInteger(), v.minValue(0))], NO_SIZE)),
  v.transform((size) => (size === null || size === -1 ? undefined : size)),
)
const Status = v.fallback(v.picklist(ARTIFACT_STATUSES), 'unknown')

export interface ArtifactAnswer {
  readonly record: ArtifactRecord
  /** Where the bytes are, as the deployment names it; a list doesn't tell. */
  readonly dataHref?: string
}

/** `GET /1/artifacts/{id}`, `POST /1/artifacts`, and the items of a list, which tell less. */
export const ArtifactJson = v.pipe(
  v.object({
    id: UrnText,
    name: Text,
    status: Status,
    size: Size,
    'mime-type': Text,
    etag: Text,
    'created-at': Time,
    'last-modified-at': Time,
    policy: OptionalUrn,
    account: Text,
    'cache-of': Text,
    'data-href': Text,
  }),
  v.transform((json): ArtifactAnswer => {
    const record: ArtifactRecord = omitUndefined({
      id: json.id,
      name: json.name,
      status: json.status,
      size: json.size,
      mimeType: json['mime-type'],
      etag: plainEtag(json.etag),
      createdAt: json['created-at'],
      lastModifiedAt: json['last-modified-at'],
      policy: json.policy,
      account: json.account,
      cacheOf: json['cache-of'],
    })
    return omitUndefined({ record, dataHref: json['data-href'] })
  }),
)

/** `GET /1/aspects/{id}`, and the items of a list, which tell less. `content` has `$schema` and no `$entity`. */
export const AspectJson = v.pipe(
  v.object({
    id: UrnText,
    entity: v.string(),
    schema: v.string(),
    content: v.fallback(v.optional(v.custom<JsonObject>(isJsonObject)), undefined),
    'valid-from': Time,
    'valid-to': StrictTime,
    asserter: Text,
    retracter: Text,
    policy: OptionalUrn,
    account: Text,
    replaces: OptionalUrn,
  }),
  v.transform(
    (json): AspectRecord =>
      omitUndefined({
        id: json.id,
        entity: json.entity,
        schema: json.schema,
        content: json.content && ownContent(json.content, json.schema),
        validFrom: json['valid-from'],
        validTo: json['valid-to'],
        asserter: json.asserter || undefined,
        retracter: json.retracter || undefined,
        policy: json.policy,
        account: json.account,
        replaces: json.replaces,
      }),
  ),
)

/** What asserting an aspect answers: its id and no more. */
export const AssertedJson = v.object({ id: UrnText })

/** A page of a list, whose items are checked one by one. `links`, whose forms differ, is read by `nextPage`. */
export const PageJson = v.object({
  items: v.nullable(v.array(v.unknown())),
  links: v.optional(v.unknown()),
})

export const RowJson = v.custom<JsonObject>(isJsonObject, 'not an object')

/** RFC 9110, but for bytes beyond ASCII, which servers and clients encode differently. */
const ETAG = /^[\x21\x23-\x7e]+$/

/**
 * The opaque characters of an etag, without the quotes of a header. Undefined for a weak one, which does not stand for exact bytes,
 * and for text that a header can't hold: it could never be compared with the etag of an answer.
 */
export function plainEtag(etag: string | null | undefined): string | undefined {
  if (etag === null || etag === undefined || etag.startsWith('W/')) return undefined
  const plain = /^".*"$/s.test(etag) ? etag.slice(1, -1) : etag
  return ETAG.test(plain) ? plain : undefined
}

function ownContent({ $entity: _, ...content }: JsonObject, schema: string): JsonObject {
  return { ...content, $schema: schema }
}
