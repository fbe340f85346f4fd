import * as v from 'valibot'
import type { JsonObject, JsonValue } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { JOB_STATUSES, type JobRecord } from '../model/services.js'
import { parseTimestamp, type Timestamp } from '../model/time.js'
import { isUrn, type Urn } from '../model/urn.js'
import type { AspectDraft } from '../ports/index.js'
import { JOB_SCHEMA } from './job-links.js'

/** Schema of the link from a service to one of its jobs: an aspect of the service. */
export const JOB_OF_SERVICE_SCHEMA = 'urn:ivcap:schema:function-job-of-service.1'

/** A job as it is stored in its aspect. */
export interface StoredJob extends JobRecord {
  readonly requestedAt: Timestamp
  /** The `processIdentity` of the process that runs the job. */
  readonly runner: string
  /** The latest time at which the job ends, successfully or not. */
  readonly expiresAt: Timestamp
  /** Artifacts that the job has read; recorded at its end. */
  readonly inputs: readonly Urn[]
  /** Artifacts that the job has produced; recorded at its end. */
  readonly outputs: readonly Urn[]
}

export function jobAspect(job: StoredJob): AspectDraft {
  const content = omitUndefined({
    $schema: JOB_SCHEMA,
    service: job.service,
    status: job.status,
    'requested-at': job.requestedAt,
    'started-at': job.startedAt,
    'finished-at': job.finishedAt,
    'expires-at': job.expiresAt,
    runner: job.runner,
    request: job.request,
    result: job.result,
    'result-content-type': job.resultType,
    'error-message': job.errorMessage,
    inputs: job.inputs,
    outputs: job.outputs,
  })
  return { entity: job.id, schema: JOB_SCHEMA, content }
}

export function jobOfServiceAspect(service: Urn, job: Urn): AspectDraft {
  const content = { $schema: JOB_OF_SERVICE_SCHEMA, service, job }
  return { entity: service, schema: JOB_OF_SERVICE_SCHEMA, content }
}

/** Parses the aspect of a job; undefined if it is not a valid record. */
export function jobOf(id: string, content: JsonObject | undefined): StoredJob | undefined {
  const parsed = v.safeParse(JobContent, content)
  if (!parsed.success || !isUrn(id)) return undefined
  const c = parsed.output
  return omitUndefined({
    id,
    service: c.service,
    status: c.status,
    requestedAt: c['requested-at'],
    startedAt: c['started-at'],
    finishedAt: c['finished-at'],
    expiresAt: c['expires-at'],
    runner: c.runner,
    request: c.request,
    result: c.result,
    resultType: c['result-content-type'],
    errorMessage: c['error-message'],
    inputs: c.inputs,
    outputs: c.outputs,
  })
}

const UrnText = v.custom<Urn>(isUrn)
const Urns = v.fallback(v.array(UrnText), [])
const Time = v.pipe(
  v.string(),
  v.transform(parseTimestamp),
  v.check((time) => time !== undefined),
  v.transform((time) => time ?? ''),
)
const Json = v.custom<JsonValue>((value) => value !== undefined)
const JobContent = v.object({
  service: UrnText,
  status: v.fallback(v.picklist(JOB_STATUSES), 'unknown'),
  'requested-at': Time,
  'started-at': v.optional(Time),
  'finished-at': v.optional(Time),
  'expires-at': Time,
  runner: v.string(),
  request: v.optional(Json),
  result: v.optional(Json),
  'result-content-type': v.optional(v.string()),
  'error-message': v.optional(v.string()),
  inputs: Urns,
  outputs: Urns,
})
