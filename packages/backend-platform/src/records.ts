import { type ArtifactRecord, IvcapError, type OpOptions, retry, sleep, type Urn } from '@ivcap/core/driver'
import { type ArtifactAnswer, artifactFromJson, artifactUuid } from '@ivcap/core/internal'
import { expectId } from './failure.js'
import { contextOf, type Http, type RequestContext, type Retries } from './http.js'
import { segment } from './urls.js'

/** Milliseconds between looks at an artifact that is not ready yet: from the first to the longest. */
const FIRST_LOOK = 50
const LONGEST_LOOK = 5_000
/** Milliseconds in all. The bytes are there already; what is left is the deployment's own work. */
const PATIENCE = 10 * 60_000

/** An artifact as the deployment tells of it. @throws IvcapError `not-found` */
export async function fetchArtifact(
  http: Http,
  id: Urn,
  o: RequestContext,
  retries: Retries = http.retries,
): Promise<ArtifactAnswer> {
  return retry(() => fetchOnce(http, id, o), http.retrying(o, retries))
}

async function fetchOnce(http: Http, id: Urn, o: RequestContext): Promise<ArtifactAnswer> {
  const url = http.deployment.api(`/1/artifacts/${segment(id)}`)
  const request = { ...contextOf(o), method: 'GET', url, resource: id } as const
  const answer = await http.json(request, artifactFromJson)
  expectId(request, id, answer.record)
  return answer
}

/**
 * The record, once the deployment has done with the bytes.
 *
 * @throws IvcapError `timeout` when that takes too long; `integrity` when it gives the artifact the status `error`
 */
export async function whenReady(http: Http, id: Urn, o: RequestContext & Retries): Promise<ArtifactRecord> {
  const deadline = performance.now() + PATIENCE
  for (let wait = FIRST_LOOK; ; wait = Math.min(wait * 2, LONGEST_LOOK)) {
    const { record } = await fetchArtifact(http, id, o, o)
    if (record.status === 'ready') return record
    if (record.status === 'error') throw failed(id)
    if (performance.now() + wait > deadline) throw notYet(id, record)
    await sleep(wait, o.signal)
  }
}

function failed(id: Urn): IvcapError {
  const message = `the deployment has all bytes of ${id}, but could not make an artifact of them (status error): upload it again`
  return new IvcapError('integrity', message, { resource: id })
}

function notYet(id: Urn, { status }: ArtifactRecord): IvcapError {
  const message =
    `the deployment has all bytes of ${id}, but its status is ${status} after ${PATIENCE / 60_000} minutes: ` +
    'look at it again later'
  return new IvcapError('timeout', message, { resource: id })
}

/**
 * Only the deployment's own ids are asked for: any other is not there.
 *
 * @param once Leave repeating to the caller.
 */
export async function known(http: Http, id: Urn, o: OpOptions, once = false): Promise<ArtifactAnswer> {
  o.signal?.throwIfAborted()
  if (artifactUuid(id) !== undefined) return once ? fetchOnce(http, id, o) : fetchArtifact(http, id, o)
  const message = `${id} is not an artifact of ${http.deployment.href}: those are urn:ivcap:artifact:…`
  throw new IvcapError('not-found', message, { resource: id })
}
