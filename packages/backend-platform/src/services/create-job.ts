import {
  IvcapError,
  isIvcapError,
  isUrn,
  type JobRecord,
  type JsonObject,
  type OpOptions,
  retry,
  type Urn,
} from '@ivcap/core/driver'
import { isJson, parseJobId, parseJson } from '@ivcap/core/internal'
import * as v from 'valibot'
import type { Http, HttpRequest } from '../http/client.js'
import { pathSegment } from '../http/deployment.js'
import { isOutcomeUnknown, isStale, protocolFailure } from '../http/failure.js'
import type { HttpResponse } from '../http/response.js'
import { readJson } from './json-body.js'

/** A new job, as the response to its request describes it. */
export interface Created {
  readonly job: JobRecord
  /** False if the record is incomplete: the caller must then request it. */
  readonly complete: boolean
}

/**
 * Creates a job. The response is its result, or contains the id of the job in its body or in the address of a redirect. Only the
 * id is taken from that address. A request that may have created a job is not repeated. If a reused connection breaks, the
 * request is repeated only if the list of the service's jobs has no new job.
 *
 * @param isNewJob returns true if the service has a job that was created since then and whose id this process has not received
 */
export async function createJob(
  http: Http,
  service: Urn,
  params: JsonObject,
  { timeout = 0, ...o }: OpOptions & { readonly timeout?: number },
  isNewJob: (since: number) => Promise<boolean>,
): Promise<Created> {
  const startedAt = Date.now()
  const seconds = Math.ceil(timeout / 1000)
  const request: HttpRequest = {
    method: 'POST',
    url: http.deployment.api(`/1/services2/${pathSegment(service)}/jobs`),
    headers: { 'Content-Type': 'application/json', Timeout: String(seconds) },
    body: JSON.stringify(params),
    resource: service,
    ...o,
    extraTimeout: seconds * 1000,
    stopAt: (location) => jobIn(location) !== undefined,
    whenStale: 'fail',
  }
  const send = async (fresh: boolean) =>
    createdBy(await http.send({ ...request, fresh }), { service, params, request })
  return retry(async () => {
    try {
      return await send(false).catch(async (error: unknown) => {
        if (!isStale(error) || (await isNewJob(startedAt).catch(() => true))) throw error
        o.signal?.throwIfAborted()
        return send(true)
      })
    } catch (error) {
      if (!isIvcapError(error) || !isOutcomeUnknown(error)) throw error
      throw unknownOutcome(error, service)
    }
  }, http.retrying(o))
}

interface Requested {
  readonly service: Urn
  readonly params: JsonObject
  readonly request: HttpRequest
}

async function createdBy(response: HttpResponse, { service, params, request }: Requested): Promise<Created> {
  const { status, headers } = response
  if (status === 202) return accepted(response, service, request)
  const id =
    jobId(headers.get('ivcap-job-id')) ?? jobIn(headers.get('ivcap-job-url') ?? headers.get('location') ?? '')
  if (id === undefined) {
    await response.cancel()
    throw protocolFailure(request, `${status}, but without the id of the job (IVCAP-Job-Id)`)
  }
  const known = { id, service, request: params }
  if (status !== 200) {
    await response.cancel()
    return { job: { ...known, status: 'pending' }, complete: false }
  }
  const resultType = headers.get('content-type') ?? undefined
  const done = { ...known, status: 'succeeded', ...(resultType !== undefined && { resultType }) } as const
  const result = await readJson(response, resultType).catch(() => undefined)
  // if the result is broken JSON, the caller requests it again
  if (result === undefined) return { job: done, complete: !isJson(resultType) }
  return { job: { ...done, result }, complete: true }
}

async function accepted(response: HttpResponse, service: Urn, request: HttpRequest): Promise<Created> {
  // the job exists, even if this response is cut off
  const text = await response.text().catch(() => '')
  const parsed = v.safeParse(AcceptedJson, parseJson(text))
  const body = parsed.success
    ? parsed.output
    : { 'job-id': undefined, location: undefined, 'retry-later': undefined }
  const id = jobId(body['job-id']) ?? jobIn(body.location ?? response.headers.get('location') ?? '')
  if (id === undefined) throw protocolFailure(request, '202, but without job-id and location', text)
  const later = body['retry-later']
  const job: JobRecord = {
    id,
    service,
    status: 'pending',
    ...(later !== undefined && { retryAfter: later * 1000 }),
  }
  return { job, complete: true }
}

const Text = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined)
/** The response to a request for a job that is not done yet. `retry-later` is in seconds. */
const AcceptedJson = v.object({
  'job-id': Text,
  location: Text,
  'retry-later': v.fallback(v.optional(v.pipe(v.number(), v.minValue(0))), undefined),
})

/** A URN or a bare uuid. */
function jobId(text: string | null | undefined): Urn | undefined {
  if (text === null || text === undefined || text === '') return undefined
  try {
    return parseJobId(text, 'job-id')
  } catch {
    return undefined
  }
}

/** The id in the address of a job: `…/jobs/<id>`, which may have further segments. */
function jobIn(location: string): Urn | undefined {
  const path = location.split(/[?#]/, 1)[0] ?? ''
  const name = /\/jobs\/([^/]+)/.exec(path)?.[1]
  try {
    return name === undefined ? undefined : jobId(decodeURIComponent(name))
  } catch {
    return isUrn(name) ? name : undefined
  }
}

function unknownOutcome(cause: IvcapError, service: Urn): IvcapError {
  const message =
    `whether a job of ${service} was made is not known, since no response came: look at service.jobs() before you ` +
    `request it again (${cause.message})`
  return new IvcapError('unavailable', message, { retryable: false, resource: service, cause })
}
