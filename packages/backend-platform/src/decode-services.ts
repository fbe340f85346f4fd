import {
  isUrn,
  type JobRecord,
  type JobStatus,
  type JsonValue,
  omitUndefined,
  type ServiceRecord,
  type Urn,
} from '@ivcap/core/driver'
import { JOB_STATUSES, parseTimestamp, reasonOf, type ServiceParameter } from '@ivcap/core/internal'
import * as v from 'valibot'

/** Text, or nothing where it is absent, null, empty or not a text. */
const Text = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined)
const UrnText = v.custom<Urn>(isUrn, 'not a URN')
const OptionalUrn = v.fallback(v.optional(UrnText), undefined)
const Time = v.pipe(
  Text,
  v.transform((text) => (text === undefined ? undefined : parseTimestamp(text))),
)
const Flag = v.fallback(v.optional(v.boolean()), undefined)
const Json = v.custom<JsonValue>((value) => value !== undefined)

/** IVCAP writes defaults as texts; numbers have been seen. */
const Default = v.fallback(
  v.optional(v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String))),
  undefined,
)

const ParameterJson = v.pipe(
  v.object({
    name: v.string(),
    type: v.string(),
    description: Text,
    label: Text,
    unit: Text,
    optional: Flag,
    default: Default,
    options: v.fallback(
      v.nullish(
        v.array(
          v.pipe(
            v.object({ value: v.string(), description: Text }),
            v.transform((option) => omitUndefined(option)),
          ),
        ),
      ),
      undefined,
    ),
  }),
  v.transform(
    ({ options, ...told }): ServiceParameter =>
      omitUndefined({ ...told, options: options?.length ? options : undefined }),
  ),
)

/** `GET /1/services2/{id}`, and the items of a list, which tell less. */
export const ServiceJson = v.pipe(
  v.object({
    id: UrnText,
    name: Text,
    description: Text,
    status: Text,
    parameters: v.nullish(v.array(ParameterJson)),
    tags: v.fallback(v.nullish(v.array(v.string())), undefined),
    policy: OptionalUrn,
    account: Text,
    'valid-from': Time,
    'valid-to': Time,
  }),
  v.transform(
    (json): ServiceRecord =>
      omitUndefined({
        id: json.id,
        name: json.name,
        description: json.description,
        status: json.status,
        parameters: json.parameters ?? undefined,
        tags: json.tags ?? undefined,
        policy: json.policy,
        account: json.account,
        validFrom: json['valid-from'],
        validTo: json['valid-to'],
      }),
  ),
)

/** `GET /1/services2/{id}/jobs/{job}`, and the items of a list, which tell less and may leave out the service. */
export const jobJson = (service: Urn) =>
  v.pipe(
    v.object({
      id: UrnText,
      service: OptionalUrn,
      name: Text,
      status: v.fallback(v.picklist(JOB_STATUSES), 'unknown'),
      'requested-at': Time,
      'started-at': Time,
      'finished-at': Time,
      'request-content': v.optional(Json),
      'result-content': v.optional(Json),
      'result-content-type': Text,
      'result-content-urn': Text,
      'error-message': Text,
      policy: OptionalUrn,
      account: Text,
    }),
    v.transform((json): JobRecord => {
      const type = json['result-content-type']
      return omitUndefined({
        id: json.id,
        service: json.service ?? service,
        name: json.name,
        status: json.status,
        requestedAt: json['requested-at'],
        startedAt: json['started-at'],
        finishedAt: json['finished-at'],
        request: json['request-content'],
        result: resultOf(json['result-content'], type),
        resultType: type,
        resultUrn: json['result-content-urn'],
        errorMessage:
          json['error-message'] ?? (isFailure(json.status) ? reasonOf(json['result-content']) : undefined),
        policy: json.policy,
        account: json.account,
      })
    }),
  )

/** What a request for a job answers that is not done yet. `retry-later` is in seconds. */
export const AcceptedJson = v.object({
  'job-id': Text,
  location: Text,
  'retry-later': v.fallback(v.optional(v.pipe(v.number(), v.minValue(0))), undefined),
})

const isFailure = (status: JobStatus) => status === 'failed' || status === 'error'

/** Whether this MIME type is JSON; one that isn't told counts as such. */
export const isJson = (type: string | undefined): boolean =>
  type === undefined || /^[^;]+[/+]json\s*(;|$)/i.test(type)

/** Types that say what they hold, and that it is not JSON. Services name their own types `application/…`. */
const NOT_JSON =
  /^\s*((text|image|audio|video|font|model|multipart)\/|application\/(octet-stream|pdf|zip|gzip|x-tar|xml|[^;]*\+(xml|zip|gzip))\s*(;|$))/i

/** Whether a body of this type may be JSON: many services name the types of their results themselves. */
export const mayBeJson = (type: string | undefined): boolean => isJson(type) || !NOT_JSON.test(type ?? '')

/**
 * The result in a job's record: JSON content is JSON, whatever its type is called. Text under another type than JSON may be the
 * body as it came, which is a result only if it is JSON itself.
 */
function resultOf(content: JsonValue | undefined, type: string | undefined): JsonValue | undefined {
  if (content === null && !isJson(type)) return undefined
  if (typeof content !== 'string' || isJson(type)) return content
  return mayBeJson(type) ? parseJson(content) : undefined
}

/** Undefined for what isn't JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
