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
import { isStale, mayHaveHappened, protocolFailure } from './failure.js'
import type { Http, HttpRequest } from './http.js'
import { readJson } from './json-body.js'
import type { Reply } from './reply.js'
import { segment } from './urls.js'

/** What is known of a job from the answer that made it. */
export interface Created {
  readonly job: JobRecord
  /** Whether the answer told all; what it left out is to be asked for. */
  readonly complete: boolean
}

/**
 * Requests a job. The answer is its result, or says where the job is: in the body, or by a redirect, of whose address
 * only the job's id counts. What may have made a job although no answer came is not repeated; if a connection that was kept open
 * breaks, the service's jobs tell.
 *
 * @param isNewJob whether there is a job of the service, made since then, that this process did not get as an answer
 */
export async function createJob(
  http: Http,
  service: Urn,
  params: JsonObject,
  { timeout = 0, ...o }: OpOptions & { readonly timeout?: number },
  isNewJob: (since: number) => Promise<boolean>,
): Promise<Created> {
  const begun = Date.now()
  const seconds = Math.ceil(timeout / 1000)
  const request: HttpRequest = {
    method: 'POST',
    url: http.deployment.api(`/1/services2/${segment(service)}/jobs`),
    headers: { 'Content-Type': 'application/json', Timeout: String(seconds) },
    body: JSON.stringify(params),
    resource: service,
    ...o,
    patience: seconds * 1000,
    stopAt: (location) => jobIn(location) !== undefined,
    whenStale: 'fail',
  }
  const send = async (fresh: boolean) =>
    createdBy(await http.send({ ...request, fresh }), { service, params, request })
  return retry(async () => {
    try {
      return await send(false).catch(async (error: unknown) => {
        if (!isStale(error) || (await isNewJob(begun).catch(() => true))) throw error
        o.signal?.throwIfAborted()
        return send(true)
      })
    } catch (error) {
      if (!isIvcapError(error) || !mayHaveHappened(error)) throw error
      throw unknownOutcome(error, service)
    }
  }, http.retrying(o))
}

interface Requested {
  readonly service: Urn
  readonly params: JsonObject
  readonly request: HttpRequest
}

async function createdBy(reply: Reply, { service, params, request }: Requested): Promise<Created> {
  const { status, headers } = reply
  if (status === 202) return accepted(reply, service, request)
  const id =
    jobId(headers.get('ivcap-job-id')) ?? jobIn(headers.get('ivcap-job-url') ?? headers.get('location') ?? '')
  if (id === undefined) {
    await reply.cancel()
    throw protocolFailure(request, `${status}, but without the id of the job (IVCAP-Job-Id)`)
  }
  const known = { id, service, request: params }
  if (status !== 200) {
    await reply.cancel()
    return { job: { ...known, status: 'pending' }, complete: false }
  }
  const resultType = headers.get('content-type') ?? undefined
  const done = { ...known, status: 'succeeded', ...(resultType !== undefined && { resultType }) } as const
  const result = await readJson(reply, resultType).catch(() => undefined)
  // a result that arrived broken is asked for again
  if (result === undefined) return { job: done, complete: !isJson(resultType) }
  return { job: { ...done, result }, complete: true }
}

async function accepted(reply: Reply, service: Urn, request: HttpRequest): Promise<Created> {
  // the job is there, whatever becomes of this answer
  const text = await reply.text().catch(() => '')
  const body = v.safeParse(AcceptedJson, parseJson(text))
  const told = body.success
    ? body.output
    : { 'job-id': undefined, location: undefined, 'retry-later': undefined }
  const id = jobId(told['job-id']) ?? jobIn(told.location ?? reply.headers.get('location') ?? '')
  if (id === undefined) throw protocolFailure(request, '202, but without job-id and location', text)
  const later = told['retry-later']
  const job: JobRecord = {
    id,
    service,
    status: 'pending',
    ...(later !== undefined && { retryAfter: later * 1000 }),
  }
  return { job, complete: true }
}

const Text = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined)
/** The answer to a request for a job that is not done yet. `retry-later` is in seconds. */
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

/** The job that the address of one names: `…/jobs/<id>`, whatever follows. */
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
    `whether a job of ${service} was made is not known, since no answer came: look at service.jobs() before you ` +
    `request it again (${cause.message})`
  return new IvcapError('unavailable', message, { retryable: false, resource: service, cause })
}
