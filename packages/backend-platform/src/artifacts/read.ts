import {
  type ArtifactContent,
  type ArtifactRecord,
  type ByteRange,
  IvcapError,
  type IvcapErrorCode,
  isIvcapError,
  omitUndefined,
  type ReadOptions,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { type ArtifactAnswer, checkRange, orderedRanges, plainEtag } from '@ivcap/core/internal'
import { type Http, requestContext } from '../http/client.js'
import type { HttpResponse } from '../http/response.js'
import { contentOf, type ReceivedContent } from './content.js'
import type { Digests } from './digests.js'
import type { RecentRecords } from './recent-records.js'
import { fetchOwnArtifact } from './records.js'

/** Parameters for large content that is fetched in parallel: see `orderedRanges`. */
const PARALLEL = { trial: 2 << 20, partSize: 4 << 20, concurrency: 4 } as const
/** From this size on, in bytes, parallel requests or a separate connection are faster. */
const LARGE = 32 << 20

/** What a request with an outdated record may fail with. */
const OUTDATED: ReadonlySet<IvcapErrorCode> = new Set([
  'integrity',
  'invalid-argument',
  'not-found',
  'precondition-failed',
  'protocol',
])

/**
 * See `ArtifactStore.read`. Sends one request for the record, unless it was just fetched, and one for the content. The caller
 * repeats them.
 */
export async function read(
  http: Http,
  { digests, recent }: { readonly digests: Digests | undefined; readonly recent: RecentRecords },
  id: Urn,
  o: ReadOptions,
): Promise<ArtifactContent> {
  if (o.range !== undefined) checkRange(o.range)
  const known = recent.take(id)
  if (known !== undefined) {
    try {
      return await readBy(http, digests, known, o)
    } catch (error) {
      // the present record decides whether the content is what it should be
      if (!isIvcapError(error) || !OUTDATED.has(error.code)) throw error
    }
  }
  return readBy(http, digests, await fetchOwnArtifact(http, id, o, true), o)
}

async function readBy(
  http: Http,
  digests: Digests | undefined,
  { record, dataHref }: ArtifactAnswer,
  o: ReadOptions,
): Promise<ArtifactContent> {
  const { id, size } = record
  if (o.ifMatch !== undefined && record.etag !== undefined && o.ifMatch !== record.etag)
    throw changed(id, o.ifMatch)
  assertReadable(record)
  const requested = size === undefined ? (o.range ?? { start: 0 }) : resolveRange(o.range, size)
  const digest = isWhole(requested, size) ? await digests?.find(id, o) : undefined
  if (dataHref === undefined) throw withoutContent(id)
  const content = new Content(http, record, http.deployment.data(dataHref), o)
  const { size: actualSize, range, body } = await content.read(requested)
  const etag = content.etag
  return { record: omitUndefined({ ...record, ...digest, size: actualSize, etag }), range, body }
}

const isWhole = ({ start, end }: ByteRange, size: number | undefined): boolean =>
  start === 0 && (end === undefined || end === size)

/** The bytes of an artifact. All requests for them must return the same version. */
class Content {
  readonly #http: Http
  readonly #record: ArtifactRecord
  readonly #url: URL
  readonly #o: ReadOptions
  /**
   * The etags of the first response of the deployment, and of another origin: storage may have another etag for the same bytes.
   */
  #ownEtag: string | undefined
  #otherEtag: string | undefined

  constructor(http: Http, record: ArtifactRecord, url: URL, o: ReadOptions) {
    this.#http = http
    this.#record = record
    this.#url = url
    this.#o = o
    this.#ownEtag = record.etag ?? o.ifMatch
    this.#otherEtag = record.etag === undefined ? o.ifMatch : undefined
  }

  /** The etag of the record; without one, that of the first response. */
  get etag(): string | undefined {
    return this.#record.etag ?? this.#responseEtag
  }
  #responseEtag: string | undefined

  async read(range: ByteRange): Promise<ReceivedContent> {
    const { start, end } = range
    if (this.#o.parallel && end !== undefined && end - start >= LARGE) return this.#inParallel({ start, end })
    return this.#contentOf(range, await this.#request(range))
  }

  /** If the server does not support ranges, its first response contains everything, and that response is read. */
  async #inParallel(range: Required<ByteRange>): Promise<ReceivedContent> {
    const { signal } = this.#o
    const trial = { start: range.start, end: range.start + PARALLEL.trial }
    const response = await this.#request(trial)
    if (response.status !== 206) return this.#contentOf(range, response)
    const { size, body: first } = await this.#contentOf(trial, response)
    const open = async (part: Required<ByteRange>, op: { readonly signal: AbortSignal }) =>
      (await this.#contentOf(part, await this.#request(part, op.signal), op.signal)).body
    const body = orderedRanges(range, open, { ...PARALLEL, first, ...(signal && { signal }) })
    return { size, range, body }
  }

  async #request(range: ByteRange, signal = this.#o.signal): Promise<HttpResponse> {
    const { id, etag, size } = this.#record
    const { start, end = size } = range
    const partial = start > 0 || end !== size
    const large = end !== undefined && end - start >= LARGE ? { memory: this.#o.memory } : undefined
    const response = await this.#http
      .send({
        ...requestContext(this.#o),
        method: 'GET',
        url: this.#url,
        resource: id,
        signal,
        large,
        // the length of a compressed body would differ from the record
        headers: {
          'Accept-Encoding': 'identity',
          ...(partial && { Range: `bytes=${start}-${end === undefined ? '' : end - 1}` }),
        },
        ...(etag !== undefined && { ownHeaders: { 'If-Match': `"${etag}"` } }),
      })
      .catch((error: unknown) => {
        throw this.#rangeError(error)
      })
    await this.#pin(response)
    return response
  }

  /** All responses must have the etag of the first one. */
  async #pin(response: HttpResponse): Promise<void> {
    const found = plainEtag(response.headers.get('etag'))
    if (found === undefined) return
    const own = this.#http.deployment.isSameOrigin(response.url)
    const expected = own ? this.#ownEtag : this.#otherEtag
    if (expected !== undefined && found !== expected) {
      await response.cancel()
      throw changed(this.#record.id, expected)
    }
    if (own) this.#ownEtag = found
    else this.#otherEtag = found
    this.#responseEtag ??= found
  }

  /** If a range within the recorded size is refused, the content has another size. */
  #rangeError(error: unknown): unknown {
    const { id, size } = this.#record
    if (!isIvcapError(error) || error.status !== 416 || size === undefined) return error
    const message = `the record of ${id} says ${size} bytes, but a range within them was refused: its content is damaged, or was replaced meanwhile`
    return new IvcapError('integrity', message, { resource: id, status: 416, cause: error })
  }

  #contentOf(range: ByteRange, response: HttpResponse, signal = this.#o.signal): Promise<ReceivedContent> {
    return contentOf(this.#record.id, response, range, this.#record.size, signal)
  }
}

/** @throws IvcapError `unavailable` if the artifact has no content (yet) */
function assertReadable({ id, status }: ArtifactRecord): void {
  if (status === 'pending' || status === 'partial') {
    const message = `${id} has no content yet, its upload is not finished (status ${status}): read it later`
    throw new IvcapError('unavailable', message, { resource: id })
  }
  if (status === 'error') {
    const message = `${id} has no content, its upload failed (status error): upload it again`
    throw new IvcapError('unavailable', message, { resource: id, retryable: false })
  }
}

function changed(id: Urn, etag: string): IvcapError {
  const message = `the content of ${id} is no longer that with the etag ${etag}: start again`
  return new IvcapError('precondition-failed', message, { resource: id })
}

function withoutContent(id: Urn): IvcapError {
  return new IvcapError('protocol', `the deployment does not tell where the content of ${id} is`, {
    resource: id,
  })
}
