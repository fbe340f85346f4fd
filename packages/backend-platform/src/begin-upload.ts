import {
  type ArtifactDraft,
  type ArtifactRecord,
  IvcapError,
  isIvcapError,
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
      if (isIvcapError(error) && mayHaveHappened(error)) await reportMade(http, draft, size, begun, error, o)
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
  o: RetryOptions,
): Promise<void> {
  const url = http.deployment.api('/1/artifacts', {
    limit: LOOKED_THROUGH,
    'order-by': 'created-at',
    'order-desc': true,
  })
  const request = { method: 'GET', url, signal: o.signal } as const
  const { items } = await http.ask(request, listOf(ArtifactJson), o).catch((error: unknown) => {
    o.signal?.throwIfAborted()
    const why = error instanceof Error ? error.message : String(error)
    throw new IvcapError('unavailable', `${cause.message}; whether it was made is not known: ${why}`, {
      retryable: false,
      cause,
    })
  })
  const since = timestamp((begun - SKEW) * 1000)
  const candidates = items.map((item) => item.record).filter((r) => isLike(r, draft, size, since))
  if (candidates.length === 0) return
  const ids = candidates
    .slice(0, 3)
    .map((r) => r.id)
    .join(' or ')
  const message =
    `no answer came to the request for a new artifact, and ${ids}, made just now, may be the one: ` +
    `upload again if you don't want it (${cause.message})`
  throw new IvcapError('unavailable', message, { retryable: false, cause })
}

/** One that is ready without a byte from us can be ours only where there are none to send. */
function isLike(
  { name, createdAt, status, size: bytes }: ArtifactRecord,
  draft: ArtifactDraft,
  size: number | undefined,
  since: string,
): boolean {
  if (name !== draft.name || createdAt === undefined || createdAt < since) return false
  if (status === 'ready' && size !== 0) return false
  return bytes === undefined || size === undefined || bytes === size
}

/** Of the UTF-8 bytes: headers are ASCII. */
function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
