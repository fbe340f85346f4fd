import * as v from 'valibot'
import { type JsonValue, parseJson } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { JOB_STATUSES, type JobRecord, type JobStatus, reasonOf } from '../model/services.js'
import type { Urn } from '../model/urn.js'
import { NonEmptyText, OptionalUrn, Time, UrnText } from './fields.js'

/** The members of a job in a listing that come from the record. JSON omits undefined ones. */
export const jobItemToJson = (record: JobRecord) => ({
  id: record.id,
  service: record.service,
  name: record.name,
  status: record.status,
  order: record.id,
  'requested-at': record.requestedAt,
  'started-at': record.startedAt,
  'finished-at': record.finishedAt,
  'error-message': record.errorMessage,
})

/**
 * The members of `GET /1/services2/{id}/jobs/{job}` that come from the record. JSON omits undefined ones.
 *
 * @param shown whether the parameters and the result are included
 */
export const jobToJson = (
  record: JobRecord,
  shown: { readonly request: boolean; readonly result: boolean },
) => ({
  ...jobItemToJson(record),
  'request-content-type': 'application/json',
  ...(shown.request && { 'request-content': record.request }),
  'result-content-type': record.resultType,
  ...(shown.result && { 'result-content': record.result }),
  policy: record.policy,
  account: record.account,
})

const Json = v.custom<JsonValue>((value) => value !== undefined)

/**
 * Parses `GET /1/services2/{id}/jobs/{job}`, and the items of a listing, which have fewer members.
 *
 * @param service used for a job whose JSON has no service
 */
export const jobFromJson = (service: Urn): v.GenericSchema<unknown, JobRecord> =>
  v.pipe(
    v.object({
      id: UrnText,
      service: OptionalUrn,
      name: NonEmptyText,
      status: v.fallback(v.picklist(JOB_STATUSES), 'unknown'),
      'requested-at': Time,
      'started-at': Time,
      'finished-at': Time,
      'request-content': v.optional(Json),
      'result-content': v.optional(Json),
      'result-content-type': NonEmptyText,
      'result-content-urn': NonEmptyText,
      'error-message': NonEmptyText,
      policy: OptionalUrn,
      account: NonEmptyText,
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

const isFailure = (status: JobStatus) => status === 'failed' || status === 'error'

/** Whether this MIME type is JSON; an unknown one counts as JSON. */
export const isJson = (type: string | undefined): boolean =>
  type === undefined || /^[^;]+[/+]json\s*(;|$)/i.test(type)

/** Types that cannot be JSON. Services choose their own types `application/…`, which may be JSON. */
const NOT_JSON =
  /^\s*((text|image|audio|video|font|model|multipart)\/|application\/(octet-stream|pdf|zip|gzip|x-tar|xml|[^;]*\+(xml|zip|gzip))\s*(;|$))/i

/** Whether a body of this type may be JSON: many services choose the types of their results themselves. */
export const mayBeJson = (type: string | undefined): boolean => isJson(type) || !NOT_JSON.test(type ?? '')

/**
 * The result in a job's record. Content that is not a text is JSON, whatever its type is. A text whose type is not JSON may be
 * the unparsed body; it is a result only if it parses as JSON.
 */
function resultOf(content: JsonValue | undefined, type: string | undefined): JsonValue | undefined {
  if (content === null && !isJson(type)) return undefined
  if (typeof content !== 'string' || isJson(type)) return content
  return mayBeJson(type) ? parseJson(content) : undefined
}
