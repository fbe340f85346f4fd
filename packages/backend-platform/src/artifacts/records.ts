import { type ArtifactRecord, IvcapError, type OpOptions, retry, sleep, type Urn } from '@ivcap/core/driver'
import { type ArtifactAnswer, artifactFromJson, artifactUuid } from '@ivcap/core/internal'
import { type Http, type RequestContext, type Retries, requestContext } from '../http/client.js'
import { pathSegment } from '../http/deployment.js'
import { assertSameId } from '../http/failure.js'

/** Milliseconds between requests for the status of an artifact that is not ready yet: the first pause, and the longest. */
const INITIAL_POLL_MS = 50
const MAX_POLL_MS = 5_000
/** Maximum milliseconds to wait in all. The deployment has the bytes by then, and processes them. */
const MAX_PROCESSING_MS = 10 * 60_000

/** The record of an artifact, and the address of its bytes. @throws IvcapError `not-found` */
export async function fetchArtifact(
  http: Http,
  id: Urn,
  o: RequestContext,
  retries: Retries = http.retries,
): Promise<ArtifactAnswer> {
  return retry(() => fetchOnce(http, id, o), http.retrying(o, retries))
}

async function fetchOnce(http: Http, id: Urn, o: RequestContext): Promise<ArtifactAnswer> {
  const url = http.deployment.api(`/1/artifacts/${pathSegment(id)}`)
  const request = { ...requestContext(o), method: 'GET', url, resource: id } as const
  const answer = await http.requestOnce(request, artifactFromJson)
  assertSameId(request, id, answer.record)
  return answer
}

/**
 * Waits until the deployment has processed the bytes, and returns the record.
 *
 * @throws IvcapError `timeout` after 10 minutes; `integrity` if the artifact gets the status `error`
 */
export async function whenReady(http: Http, id: Urn, o: RequestContext & Retries): Promise<ArtifactRecord> {
  const deadline = performance.now() + MAX_PROCESSING_MS
  for (let wait = INITIAL_POLL_MS; ; wait = Math.min(wait * 2, MAX_POLL_MS)) {
    const { record } = await fetchArtifact(http, id, o, o)
    if (record.status === 'ready') return record
    if (record.status === 'error') throw failed(id)
    if (performance.now() + wait > deadline) throw notReady(id, record)
    await sleep(wait, o.signal)
  }
}

function failed(id: Urn): IvcapError {
  const message = `the deployment has all bytes of ${id}, but could not make an artifact of them (status error): upload it again`
  return new IvcapError('integrity', message, { resource: id })
}

function notReady(id: Urn, { status }: ArtifactRecord): IvcapError {
  const message =
    `the deployment has all bytes of ${id}, but its status is ${status} after ${MAX_PROCESSING_MS / 60_000} minutes: ` +
    'look at it again later'
  return new IvcapError('timeout', message, { resource: id })
}

/**
 * Fetches an artifact. An id that a deployment can't have fails with `not-found` at once, without a request.
 *
 * @param once disables retries, for callers that repeat the call
 */
export async function fetchOwnArtifact(
  http: Http,
  id: Urn,
  o: OpOptions,
  once = false,
): Promise<ArtifactAnswer> {
  o.signal?.throwIfAborted()
  if (artifactUuid(id) !== undefined) return once ? fetchOnce(http, id, o) : fetchArtifact(http, id, o)
  const message = `${id} is not an artifact of ${http.deployment.href}: those are urn:ivcap:artifact:…`
  throw new IvcapError('not-found', message, { resource: id })
}
