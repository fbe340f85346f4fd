import {
  type ArtifactDraft,
  type ArtifactRecord,
  IvcapError,
  isIvcapError,
  micros,
  type RetryOptions,
  retry,
  timestamp,
} from '@ivcap/core/driver'
import { ArtifactJson, listOf } from './decode.js'
import { mayHaveHappened, protocolFailure } from './failure.js'
import type { Http, HttpRequest } from './http.js'
import type { Begun } from './journal/types.js'

/** Newest artifacts that are looked through for one that a lost answer may have been about. */
const LOOKED_THROUGH = 50
/** Milliseconds that clocks may be apart. */
const SKEW = 60_000

/**
 * Asks for an artifact to fill. One that may have been made although no answer came is looked for first, and asked for
 * again only if it is not there.
 *
 * @param size bytes; undefined: known only at the end
 */
export function beginUpload(
  http: Http,
  draft: ArtifactDraft,
  size: number | undefined,
  o: RetryOptions,
): Promise<Begun> {
  const begun = Date.now()
  const request: HttpRequest = {
    method: 'POST',
    url: http.deployment.api('/1/artifacts'),
    headers: headersOf(draft, size),
    signal: o.signal,
  }
  return retry(async () => {
    try {
      const { record, dataHref } = await http.json(request, ArtifactJson)
      if (dataHref === undefined) throw protocolFailure(request, 'an artifact without data-href')
      return { id: record.id, dataHref }
    } catch (error) {
      if (isIvcapError(error) && mayHaveHappened(error)) await reportMade(http, draft, size, begun, error)
      throw error
    }
  }, o)
}

function headersOf({ name, mimeType, policy, collection }: ArtifactDraft, size = -1): Record<string, string> {
  return {
    'Tus-Resumable': '1.0.0',
    'X-Content-Type': mimeType,
    'X-Content-Length': String(size),
    ...(name !== undefined && { 'X-Name': base64(name) }),
    ...(policy !== undefined && { 'X-Policy': policy }),
    ...(collection !== undefined && { 'X-Collection': collection }),
  }
}

/**
 * Fails with what may be ours: there is no telling it from one that somebody else asked for at the same time, whose bytes
 * we would mix with ours.
 */
async function reportMade(
  http: Http,
  draft: ArtifactDraft,
  size: number | undefined,
  begun: number,
  cause: IvcapError,
): Promise<void> {
  const url = http.deployment.api('/1/artifacts', {
    limit: LOOKED_THROUGH,
    'order-by': 'created-at',
    'order-desc': true,
  })
  const { items } = await http.json({ method: 'GET', url }, listOf(ArtifactJson))
  const since = timestamp((begun - SKEW) * 1000)
  const candidates = items.map((item) => item.record).filter((r) => isLike(r, draft, size, since))
  if (candidates.length === 0) return
  const ids = candidates.map((r) => r.id).join(', ')
  const message =
    `no answer came to the request for a new artifact, and ${ids}, made just now, may be the one: ` +
    `upload again if you don't want it (${cause.message})`
  throw new IvcapError('unavailable', message, { retryable: false, cause })
}

function isLike(
  record: ArtifactRecord,
  draft: ArtifactDraft,
  size: number | undefined,
  since: string,
): boolean {
  const { name, createdAt } = record
  const sameSize = record.size === undefined || size === undefined || record.size === size
  return name === draft.name && sameSize && createdAt !== undefined && micros(createdAt) >= micros(since)
}

/** Of the UTF-8 bytes: headers are ASCII. */
function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
