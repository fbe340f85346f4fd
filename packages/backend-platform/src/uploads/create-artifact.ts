import { type ArtifactDraft, type IvcapError, type IvcapEvent, isIvcapError, retry } from '@ivcap/core/driver'
import { artifactFromJson, show } from '@ivcap/core/internal'
import {
  type Http,
  type HttpRequest,
  type RequestContext,
  type Retries,
  requestContext,
} from '../http/client.js'
import { isOutcomeUnknown, isStale, protocolFailure } from '../http/failure.js'
import type { PendingUpload } from './pending/types.js'

/**
 * Creates an artifact without content. If the response is lost, the request is sent again. The first request may have left a
 * pending record without content, which does no harm, and which an `orphan` event reports.
 *
 * @param size bytes; undefined if the size is known only at the end
 */
export function createArtifact(
  http: Http,
  draft: ArtifactDraft,
  size: number | undefined,
  o: RequestContext & Retries,
): Promise<PendingUpload> {
  const request: HttpRequest = {
    ...requestContext(o),
    method: 'POST',
    url: http.deployment.api('/1/artifacts'),
    headers: createHeaders(draft, size),
    whenStale: 'fail',
  }
  const send = async (fresh: boolean): Promise<PendingUpload> => {
    try {
      const { record, dataHref } = await http.requestOnce({ ...request, fresh }, artifactFromJson)
      if (dataHref === undefined) throw protocolFailure(request, 'an artifact without data-href')
      return { id: record.id, dataHref }
    } catch (error) {
      if (isIvcapError(error) && isOutcomeUnknown(error)) http.emit(orphan(http, draft, error), o)
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
  const artifact = name === undefined ? 'an artifact without a name' : `an artifact named ${show(name)}`
  const message =
    `a request for ${artifact} was not answered: ${http.deployment.href} may hold a pending record of it, without content, ` +
    `that no upload will fill (${cause})`
  return { kind: 'orphan', message }
}

function createHeaders(
  { name, mimeType, policy, collection }: ArtifactDraft,
  size = -1,
): Record<string, string> {
  return {
    'Tus-Resumable': '1.0.0',
    'X-Content-Type': mimeType,
    'X-Content-Length': String(size),
    ...(name !== undefined && { 'X-Name': base64(name) }),
    ...(policy !== undefined && { 'X-Policy': policy }),
    ...(collection !== undefined && { 'X-Collection': collection }),
  }
}

/** Encodes the UTF-8 bytes, because headers are ASCII. */
function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
