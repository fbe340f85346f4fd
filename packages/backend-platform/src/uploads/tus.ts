import { IvcapError, isIvcapError } from '@ivcap/core/driver'
import type { Progress } from '@ivcap/core/internal'
import type { HttpRequest as TusRequest, HttpResponse as TusResponse } from 'tus-js-client'
import { type Http, type RequestContext, requestContext } from '../http/client.js'
import type { HttpResponse } from '../http/response.js'
import type { ChunkSizer } from './chunk-sizer.js'
import type { Chunk, SourceReader } from './source-reader.js'

export interface TusOptions extends RequestContext {
  readonly http: Http
  /** The address for the bytes. */
  readonly url: URL
  readonly reader: SourceReader
  /** Bytes. Absent if the size is known only at the end. */
  readonly size?: number | undefined
  /** True if the artifact was just created: its offset is 0, and need not be requested. */
  readonly isNew: boolean
  readonly chunkSizer: ChunkSizer
  readonly progress: Progress
  readonly resource: string
}

/**
 * Sends the bytes from the deployment's offset to the end, in one attempt. After a fault it rejects; the error is `retryable` if
 * another attempt may succeed.
 *
 * tus-js-client implements the protocol: offsets, chunks, lengths. This package provides the reader and the HTTP stack, because
 * those of tus-js-client can't read a ByteSource or apply our rules for tokens, redirects, proxies and timeouts. Its retries are
 * disabled: they ignore Retry-After, and don't repeat after 401 and 429.
 *
 * @returns the number of bytes that the deployment has
 */
export async function sendByTus(o: TusOptions): Promise<number> {
  // loaded on demand: only uploads need it, and it takes longer to load than the rest of the package
  const { Upload } = await import('tus-js-client')
  const exchange = new Exchange(o)
  const { reader, size, url } = o
  try {
    await new Promise<void>((resolve, reject) => {
      // `fileReader` provides the bytes; the first argument is required, and not used
      const upload = new Upload(new Blob([]), {
        uploadUrl: url.href,
        ...(size === undefined ? { uploadLengthDeferred: true } : { uploadSize: size }),
        // the reader decides on the size of chunks; this is only an upper bound
        chunkSize: Number.POSITIVE_INFINITY,
        fileReader: { openFile: async () => reader },
        httpStack: { createRequest: (method, to) => exchange.request(method, to), getName: () => 'ivcap' },
        retryDelays: null,
        fingerprint: async () => '',
        storeFingerprintForResuming: false,
        onSuccess: () => resolve(),
        onError: reject,
      })
      upload.start()
    })
  } catch (error) {
    throw causeOf(error)
  }
  return exchange.offset
}

/** tus-js-client wraps the errors of our requests and reads in an error whose message contains the whole request. */
function causeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('causingError' in error)) return error
  const { causingError } = error
  if (causingError !== null && causingError !== undefined) return causingError
  return new IvcapError('protocol', `the upload failed: ${error instanceof Error ? error.message : error}`)
}

/** The requests of one attempt. */
class Exchange {
  offset = 0
  readonly #o: TusOptions

  constructor(o: TusOptions) {
    this.#o = o
  }

  request(method: string, url: string): TusRequest {
    const headers: Record<string, string> = {}
    const verb = method === 'HEAD' ? 'HEAD' : 'PATCH'
    return {
      getMethod: () => method,
      getURL: () => url,
      setHeader: (name, value) => {
        headers[name] = value
      },
      getHeader: (name) => headers[name],
      setProgressHandler: () => {},
      send: async (chunk: Chunk | null | undefined) =>
        verb === 'HEAD' && this.#o.isNew ? this.#offsetZero() : this.#send(verb, headers, chunk ?? undefined),
      // our signal aborts the request itself
      abort: async () => {},
      getUnderlyingObject: () => undefined,
    }
  }

  /** The response to the HEAD request that tus-js-client always sends first, for an upload without bytes. */
  #offsetZero(): TusResponse {
    const { size } = this.#o
    const headers: Readonly<Record<string, string>> =
      size === undefined
        ? { 'upload-offset': '0', 'upload-defer-length': '1' }
        : { 'upload-offset': '0', 'upload-length': String(size) }
    return responseOf(200, (name) => headers[name.toLowerCase()])
  }

  async #send(
    method: 'HEAD' | 'PATCH',
    headers: Record<string, string>,
    chunk: Chunk | undefined,
  ): Promise<TusResponse> {
    const { http, url, resource, size, chunkSizer } = this.#o
    if (method === 'PATCH' && size === undefined && headers['Upload-Length'] === undefined) {
      headers['Upload-Defer-Length'] = '1'
    }
    const startedAt = performance.now()
    const response = await http
      .send({
        ...requestContext(this.#o),
        method,
        url,
        headers,
        resource,
        ...(chunk !== undefined && { body: chunk.body }),
      })
      .catch((error: unknown) => {
        if (chunk !== undefined) chunkSizer.recordFailure()
        throw retryableConflict(error, headers['Upload-Length'] !== undefined)
      })
    await response.cancel()
    if (chunk !== undefined) chunkSizer.recordSuccess(chunk.size, performance.now() - startedAt)
    this.#check(method, response, chunk?.size ?? 0)
    this.#o.progress.report(this.offset)
    return responseOf(response.status, (name) => response.headers.get(name) ?? undefined)
  }

  /** tus-js-client accepts any offset. A wrong one would lead to an artifact with other bytes, or to an endless upload. */
  #check(method: 'HEAD' | 'PATCH', { headers }: HttpResponse, sent: number): void {
    const { size } = this.#o
    const offset = wholeNumber(headers.get('upload-offset'))
    const length = wholeNumber(headers.get('upload-length'))
    if (offset === undefined) throw this.#mismatch('no valid Upload-Offset')
    if (method === 'HEAD') {
      if (size !== undefined && length !== undefined && length !== size) {
        throw this.#mismatch(`an upload of ${length} bytes, but the content has ${size}`, 'integrity')
      }
      if (offset > (size ?? length ?? offset))
        throw this.#mismatch(`an Upload-Offset of ${offset}, past the end`)
    } else if (offset < this.offset || offset > this.offset + sent) {
      throw this.#mismatch(`an Upload-Offset of ${offset} after ${sent} bytes from ${this.offset}`)
    } else if (sent > 0 && offset === this.offset) {
      throw new IvcapError('unavailable', `the deployment took none of ${sent} bytes of ${this.#o.resource}`)
    }
    this.offset = offset
  }

  #mismatch(what: string, code: 'protocol' | 'integrity' = 'protocol'): IvcapError {
    const { resource } = this.#o
    return new IvcapError(code, `the deployment answered for the upload of ${resource} with ${what}`, {
      resource,
    })
  }
}

function responseOf(status: number, getHeader: (name: string) => string | undefined): TusResponse {
  return { getStatus: () => status, getHeader, getBody: () => '', getUnderlyingObject: () => undefined }
}

/**
 * Makes errors retryable that a new attempt resolves, because it begins at the deployment's offset: an unexpected offset (409), a
 * lock of an earlier connection (423), a body that is too large for a proxy (413; the next one is smaller), or a length that was
 * already set by an earlier request whose response was lost (400).
 */
function retryableConflict(error: unknown, setsLength: boolean): unknown {
  if (!isIvcapError(error) || error.status === undefined) return error
  const { message, status, resource = '' } = error
  if (!RESOLVED_BY_HEAD.has(status) && !(setsLength && status === 400)) return error
  return new IvcapError('unavailable', message, { status, resource, retryable: true, cause: error })
}

const RESOLVED_BY_HEAD: ReadonlySet<number> = new Set([409, 413, 423])

function wholeNumber(text: string | null): number | undefined {
  if (text === null || !/^\d+$/.test(text)) return undefined
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : undefined
}
