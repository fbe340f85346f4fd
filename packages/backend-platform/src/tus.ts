import { IvcapError, isIvcapError } from '@ivcap/core/driver'
import type { Progress } from '@ivcap/core/internal'
import type { HttpRequest as TusRequest, HttpResponse as TusResponse } from 'tus-js-client'
import { contextOf, type Http, type RequestContext } from './http.js'
import type { Pace } from './pace.js'
import type { Reply } from './reply.js'
import type { Chunk, SourceReader } from './source-reader.js'

export interface TusOptions extends RequestContext {
  readonly http: Http
  /** Where the bytes go. */
  readonly url: URL
  readonly reader: SourceReader
  /** Bytes; absent: known only at the end. */
  readonly size?: number | undefined
  /** It was made just now: nobody has to ask whether the deployment has bytes of it. */
  readonly isNew: boolean
  readonly pace: Pace
  readonly progress: Progress
  readonly resource: string
}

/**
 * Sends what the deployment does not have yet, from the offset that it names, until it has all. One try: after a fault it
 * rejects, `retryable` where a further one may do better.
 *
 * tus-js-client keeps the protocol: offsets, chunks, lengths. It gets its bytes and its requests from us, because its own
 * neither take a ByteSource nor keep our rules about tokens, redirects and timeouts; and its retrying is off, since it
 * neither waits as Retry-After says nor repeats after 401 and 429.
 *
 * @returns bytes that the deployment has
 */
export async function sendByTus(o: TusOptions): Promise<number> {
  // only uploads need it, and it takes longer to load than all the rest
  const { Upload } = await import('tus-js-client')
  const exchange = new Exchange(o)
  const { reader, size, url } = o
  try {
    await new Promise<void>((resolve, reject) => {
      // what it reads from is what `fileReader` gives; the first argument only must not be missing
      const upload = new Upload(new Blob([]), {
        uploadUrl: url.href,
        ...(size === undefined ? { uploadLengthDeferred: true } : { uploadSize: size }),
        // the reader cuts chunks; this is only an upper bound
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
    throw reasonOf(error)
  }
  return exchange.offset
}

/** tus-js-client wraps what our requests and reads fail with, in a message with the whole request. */
function reasonOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('causingError' in error)) return error
  const { causingError } = error
  if (causingError !== null && causingError !== undefined) return causingError
  return new IvcapError('protocol', `the upload failed: ${error instanceof Error ? error.message : error}`)
}

/** The requests of one try. */
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
        verb === 'HEAD' && this.#o.isNew ? this.#empty() : this.#send(verb, headers, chunk ?? undefined),
      // our signal aborts the request itself
      abort: async () => {},
      getUnderlyingObject: () => undefined,
    }
  }

  /** What the deployment would answer to the question how much it has, which tus-js-client always asks first. */
  #empty(): TusResponse {
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
    const { http, url, resource, size, pace } = this.#o
    if (method === 'PATCH' && size === undefined && headers['Upload-Length'] === undefined) {
      headers['Upload-Defer-Length'] = '1'
    }
    const begun = performance.now()
    const reply = await http
      .send({
        ...contextOf(this.#o),
        method,
        url,
        headers,
        resource,
        ...(chunk !== undefined && { body: chunk.body }),
      })
      .catch((error: unknown) => {
        if (chunk !== undefined) pace.failed()
        throw conflict(error, headers['Upload-Length'] !== undefined)
      })
    await reply.cancel()
    if (chunk !== undefined) pace.took(chunk.size, performance.now() - begun)
    this.#check(method, reply, chunk?.size ?? 0)
    this.#o.progress.report(this.offset)
    return responseOf(reply.status, (name) => reply.headers.get(name) ?? undefined)
  }

  /** tus-js-client believes any offset; one that can't be would make an artifact of other bytes, or no end. */
  #check(method: 'HEAD' | 'PATCH', { headers }: Reply, sent: number): void {
    const { size } = this.#o
    const offset = wholeNumber(headers.get('upload-offset'))
    const length = wholeNumber(headers.get('upload-length'))
    if (offset === undefined) throw this.#wrong('no valid Upload-Offset')
    if (method === 'HEAD') {
      if (size !== undefined && length !== undefined && length !== size) {
        throw this.#wrong(`an upload of ${length} bytes, but the content has ${size}`, 'integrity')
      }
      if (offset > (size ?? length ?? offset))
        throw this.#wrong(`an Upload-Offset of ${offset}, past the end`)
    } else if (offset < this.offset || offset > this.offset + sent) {
      throw this.#wrong(`an Upload-Offset of ${offset} after ${sent} bytes from ${this.offset}`)
    } else if (sent > 0 && offset === this.offset) {
      throw new IvcapError('unavailable', `the deployment took none of ${sent} bytes of ${this.#o.resource}`)
    }
    this.offset = offset
  }

  #wrong(what: string, code: 'protocol' | 'integrity' = 'protocol'): IvcapError {
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
 * Another offset than we thought (409), a lock that an earlier connection still has (423): asking again settles it. Too
 * much at once for somebody on the way (413): the next request carries less. A length that an earlier request has told,
 * whose answer was lost or which came late (400): the deployment may have all by now.
 */
function conflict(error: unknown, tellsLength: boolean): unknown {
  if (!isIvcapError(error) || error.status === undefined) return error
  const { message, status, resource = '' } = error
  if (!SETTLED_BY_ASKING.has(status) && !(tellsLength && status === 400)) return error
  return new IvcapError('unavailable', message, { status, resource, retryable: true, cause: error })
}

const SETTLED_BY_ASKING: ReadonlySet<number> = new Set([409, 413, 423])

function wholeNumber(text: string | null): number | undefined {
  if (text === null || !/^\d+$/.test(text)) return undefined
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : undefined
}
