import { type ArtifactDraft, type IvcapError, type IvcapEvent, isIvcapError, retry } from '@ivcap/core/driver'
import { artifactFromJson, show } from '@ivcap/core/internal'
import { isStale, mayHaveHappened, protocolFailure } from './failure.js'
import { contextOf, type Http, type HttpRequest, type RequestContext, type Retries } from './http.js'
import type { Begun } from './journal/types.js'

/**
 * Requests an artifact to fill. If the answer is lost, it is requested again: what the first request may have left is a pending
 * record without a byte, which harms nothing, and which an event tells of.
 *
 * @param size bytes; undefined: known only at the end
 */
export function beginUpload(
  http: Http,
  draft: ArtifactDraft,
  size: number | undefined,
  o: RequestContext & Retries,
): Promise<Begun> {
  const request: HttpRequest = {
    ...contextOf(o),
    method: 'POST',
    url: http.deployment.api('/1/artifacts'),
    headers: headersOf(draft, size),
    whenStale: 'fail',
  }
  const send = async (fresh: boolean): Promise<Begun> => {
    try {
      const { record, dataHref } = await http.json({ ...request, fresh }, artifactFromJson)
      if (dataHref === undefined) throw protocolFailure(request, 'an artifact without data-href')
      return { id: record.id, dataHref }
    } catch (error) {
      if (isIvcapError(error) && mayHaveHappened(error)) http.tell(orphan(http, draft, error), o)
      throw error
    }
  }
  return retry(
    () =>
      send(false).catch((error: unknown) => {
        if (!isStale(error) || o.signal?.aborted) throw error
        return send(true)
      }),
    http.retrying(o, o),
  )
}

function orphan(http: Http, { name }: ArtifactDraft, { message: cause }: IvcapError): IvcapEvent {
  const what = name === undefined ? 'an artifact without a name' : `an artifact named ${show(name)}`
  const message =
    `a request for ${what} was not answered: ${http.deployment.href} may hold a pending record of it, without content, ` +
    `that no upload will fill (${cause})`
  return { kind: 'orphan', message }
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

/** Of the UTF-8 bytes: headers are ASCII. */
function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
