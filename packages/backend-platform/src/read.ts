import {
  type ArtifactContent,
  type ArtifactRecord,
  type ByteRange,
  type ChunkMemory,
  checkRange,
  IvcapError,
  orderedRanges,
  type ReadOptions,
  resolveRange,
  type Urn,
} from '@ivcap/core/driver'
import { bodyOf } from './content.js'
import { plainEtag } from './decode.js'
import type { Digests } from './digests.js'
import type { Http } from './http.js'
import { known } from './records.js'
import type { Reply } from './reply.js'

/** How large content is fetched: see `orderedRanges`. */
const PARALLEL = { trial: 2 << 20, partSize: 4 << 20, concurrency: 4 } as const
/** Bytes from which that, or a connection of its own, is worth while. */
const LARGE = 32 << 20

/** See `ArtifactStore.read`. */
export async function read(
  http: Http,
  digests: Digests | undefined,
  id: Urn,
  o: ReadOptions,
): Promise<ArtifactContent> {
  const { signal, ifMatch } = o
  if (o.range !== undefined) checkRange(o.range)
  const { record, dataHref } = await known(http, id, o)
  if (ifMatch !== undefined && record.etag !== undefined && ifMatch !== record.etag)
    throw changed(id, ifMatch)
  const size = sizeOf(record)
  const range = resolveRange(o.range, size)
  const partial = range.start > 0 || range.end < size
  const digest = partial ? undefined : await digests?.find(id, o)
  if (dataHref === undefined) throw withoutContent(id)
  const content = new Content(http, { ...record, size }, http.deployment.data(dataHref), o.memory)
  const body =
    o.parallel && range.end - range.start >= LARGE
      ? await content.inParallel(range, signal)
      : await content.body(range, await content.ask(range, signal), signal)
  return { record: { ...record, ...digest }, range, body }
}

/** The bytes of an artifact, by as many requests as are made for them: all of one version. */
class Content {
  readonly #http: Http
  readonly #record: ArtifactRecord & { readonly size: number }
  readonly #url: URL
  readonly #memory: ChunkMemory | undefined
  #etag: string | undefined

  constructor(
    http: Http,
    record: ArtifactRecord & { readonly size: number },
    url: URL,
    memory: ChunkMemory | undefined,
  ) {
    this.#http = http
    this.#record = record
    this.#url = url
    this.#memory = memory
  }

  /** A server that knows no ranges answers the first of them with all; then that is what is read. */
  async inParallel(
    range: Required<ByteRange>,
    signal: AbortSignal | undefined,
  ): Promise<ReadableStream<Uint8Array>> {
    const first = { start: range.start, end: range.start + PARALLEL.trial }
    const reply = await this.ask(first, signal)
    if (reply.status !== 206) return this.body(range, reply, signal)
    const open = async (part: Required<ByteRange>, { signal }: { readonly signal: AbortSignal }) =>
      this.body(part, await this.ask(part, signal), signal)
    return orderedRanges(range, open, {
      ...PARALLEL,
      first: await this.body(first, reply, signal),
      ...(signal && { signal }),
    })
  }

  async ask({ start, end }: Required<ByteRange>, signal: AbortSignal | undefined): Promise<Reply> {
    const { id, etag, size } = this.#record
    const partial = start > 0 || end < size
    const reply = await this.#http.send({
      method: 'GET',
      url: this.#url,
      resource: id,
      signal,
      large: end - start >= LARGE ? { memory: this.#memory } : undefined,
      // compressed on its way it would have another length than the record says
      headers: { 'Accept-Encoding': 'identity', ...(partial && { Range: `bytes=${start}-${end - 1}` }) },
      ...(etag !== undefined && { ownHeaders: { 'If-Match': `"${etag}"` } }),
    })
    // elsewhere, e.g. in the deployment's storage, the same bytes go by another etag: the same for all requests
    const own = this.#http.deployment.owns(reply.url)
    const expected = own ? etag : this.#etag
    const found = plainEtag(reply.headers.get('etag'))
    if (found !== undefined && expected !== undefined && found !== expected) {
      await reply.cancel()
      throw changed(id, expected)
    }
    if (!own) this.#etag ??= found
    return reply
  }

  body(
    range: Required<ByteRange>,
    reply: Reply,
    signal: AbortSignal | undefined,
  ): Promise<ReadableStream<Uint8Array>> {
    return bodyOf(this.#record.id, reply, range, this.#record.size, signal)
  }
}

/** Bytes of an artifact that can be read. */
function sizeOf({ id, status, size }: ArtifactRecord): number {
  if (status === 'pending' || status === 'partial') {
    const message = `${id} has no content yet, its upload is not finished (status ${status}): read it later`
    throw new IvcapError('unavailable', message, { resource: id })
  }
  if (status === 'error') {
    const message = `${id} has no content, its upload failed (status error): upload it again`
    throw new IvcapError('unavailable', message, { resource: id, retryable: false })
  }
  if (size !== undefined) return size
  throw new IvcapError('protocol', `the deployment does not tell the size of ${id}`, { resource: id })
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
