import {
  type ArtifactContent,
  type ArtifactRecord,
  type ByteRange,
  IvcapError,
  isIvcapError,
  omitUndefined,
  type ReadOptions,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { checkRange, orderedRanges, plainEtag } from '@ivcap/core/internal'
import { type AnsweredContent, contentOf } from './content.js'
import type { Digests } from './digests.js'
import { contextOf, type Http } from './http.js'
import { known } from './records.js'
import type { Reply } from './reply.js'

/** How large content is fetched: see `orderedRanges`. */
const PARALLEL = { trial: 2 << 20, partSize: 4 << 20, concurrency: 4 } as const
/** Bytes from which that, or a connection of its own, is worth while. */
const LARGE = 32 << 20

/** See `ArtifactStore.read`. One request for the record, one for the content; repeating them is the caller's business. */
export async function read(
  http: Http,
  digests: Digests | undefined,
  id: Urn,
  o: ReadOptions,
): Promise<ArtifactContent> {
  if (o.range !== undefined) checkRange(o.range)
  const { record, dataHref } = await known(http, id, o, true)
  if (o.ifMatch !== undefined && record.etag !== undefined && o.ifMatch !== record.etag)
    throw changed(id, o.ifMatch)
  expectReadable(record)
  const { size } = record
  const asked = size === undefined ? (o.range ?? { start: 0 }) : resolveRange(o.range, size)
  const digest = isWhole(asked, size) ? await digests?.find(id, o) : undefined
  if (dataHref === undefined) throw withoutContent(id)
  const content = new Content(http, record, http.deployment.data(dataHref), o)
  const answered = await content.read(asked)
  const told = omitUndefined({ ...record, ...digest, size: answered.size, etag: content.etag })
  return { record: told, range: answered.range, body: answered.body }
}

const isWhole = ({ start, end }: ByteRange, size: number | undefined): boolean =>
  start === 0 && (end === undefined || end === size)

/** The bytes of an artifact, by as many requests as are made for them: all of one version. */
class Content {
  readonly #http: Http
  readonly #record: ArtifactRecord
  readonly #url: URL
  readonly #o: ReadOptions
  /** By the first answer of the deployment, and by the first from elsewhere: its storage may name the same bytes otherwise. */
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

  /** What the content is known by: to the record, or else to the answers. */
  get etag(): string | undefined {
    return this.#record.etag ?? this.#answeredEtag
  }
  #answeredEtag: string | undefined

  async read(range: ByteRange): Promise<AnsweredContent> {
    const { start, end } = range
    if (this.#o.parallel && end !== undefined && end - start >= LARGE) return this.#inParallel({ start, end })
    return this.#answered(range, await this.#ask(range))
  }

  /** A server that knows no ranges answers the first of them with all; then that is what is read. */
  async #inParallel(range: Required<ByteRange>): Promise<AnsweredContent> {
    const { signal } = this.#o
    const trial = { start: range.start, end: range.start + PARALLEL.trial }
    const reply = await this.#ask(trial)
    if (reply.status !== 206) return this.#answered(range, reply)
    const { size, body: first } = await this.#answered(trial, reply)
    const open = async (part: Required<ByteRange>, op: { readonly signal: AbortSignal }) =>
      (await this.#answered(part, await this.#ask(part, op.signal), op.signal)).body
    const body = orderedRanges(range, open, { ...PARALLEL, first, ...(signal && { signal }) })
    return { size, range, body }
  }

  async #ask(range: ByteRange, signal = this.#o.signal): Promise<Reply> {
    const { id, etag, size } = this.#record
    const { start, end = size } = range
    const partial = start > 0 || end !== size
    const large = end !== undefined && end - start >= LARGE ? { memory: this.#o.memory } : undefined
    const reply = await this.#http
      .send({
        ...contextOf(this.#o),
        method: 'GET',
        url: this.#url,
        resource: id,
        signal,
        large,
        // compressed on its way it would have another length than the record says
        headers: {
          'Accept-Encoding': 'identity',
          ...(partial && { Range: `bytes=${start}-${end === undefined ? '' : end - 1}` }),
        },
        ...(etag !== undefined && { ownHeaders: { 'If-Match': `"${etag}"` } }),
      })
      .catch((error: unknown) => {
        throw this.#ofRange(error)
      })
    await this.#pin(reply)
    return reply
  }

  /** All answers must be about the same version. */
  async #pin(reply: Reply): Promise<void> {
    const found = plainEtag(reply.headers.get('etag'))
    if (found === undefined) return
    const own = this.#http.deployment.contains(reply.url)
    const expected = own ? this.#ownEtag : this.#otherEtag
    if (expected !== undefined && found !== expected) {
      await reply.cancel()
      throw changed(this.#record.id, expected)
    }
    if (own) this.#ownEtag = found
    else this.#otherEtag = found
    this.#answeredEtag ??= found
  }

  /** A range within the size that the record says, refused: the content has another size. */
  #ofRange(error: unknown): unknown {
    const { id, size } = this.#record
    if (!isIvcapError(error) || error.status !== 416 || size === undefined) return error
    const message = `the record of ${id} says ${size} bytes, but a range within them was refused: its content is damaged, or was replaced meanwhile`
    return new IvcapError('integrity', message, { resource: id, status: 416, cause: error })
  }

  #answered(range: ByteRange, reply: Reply, signal = this.#o.signal): Promise<AnsweredContent> {
    return contentOf(this.#record.id, reply, range, this.#record.size, signal)
  }
}

/** @throws IvcapError `unavailable` for an artifact that has no content (yet) */
function expectReadable({ id, status }: ArtifactRecord): void {
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
