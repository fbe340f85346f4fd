import { type ByteSource, IvcapError } from '@ivcap/core/driver'
import { MAX_IN_FLIGHT, type StreamedBody } from '../transport/types.js'

/** A piece of the content. tus-js-client passes it through, and reads only `size`. */
export interface Chunk {
  readonly size: number
  /** Bytes are valid until the next chunk is read. */
  readonly body: Uint8Array | StreamedBody
}

/** `[start, end)` of the content, at the beginning of `memory`. */
interface BufferedChunk {
  readonly start: number
  readonly end: number
  readonly memory: Uint8Array
}

/**
 * Reads a source chunk by chunk: forward, and back after a fault. A source that can be opened only once can go back only to the
 * start of the last chunk, which is retained. The next chunk is read while one is sent, so two chunks are in memory. If the
 * transport streams bodies and the source can be opened at any offset, no chunk is in memory.
 */
export class SourceReader {
  /** tus-js-client reads this if no size was set. */
  readonly size: number
  readonly #source: ByteSource
  readonly #streams: boolean
  readonly #signal: AbortSignal | undefined
  readonly #limit: () => number
  #stream: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** The offset up to which the stream was read, without `#rest`. */
  #position = 0
  /** Bytes of the stream after the last chunk. */
  #rest: Uint8Array | undefined
  #ended = false
  #current: BufferedChunk = { start: 0, end: 0, memory: new Uint8Array() }
  #ahead: { readonly start: number; readonly chunk: Promise<BufferedChunk> } | undefined
  #spare: Uint8Array = new Uint8Array()

  /**
   * @param streams whether the transport reads chunks while it sends them
   * @param limit returns the maximum bytes of the next chunk; called each time
   */
  constructor(source: ByteSource, streams: boolean, limit: () => number, signal: AbortSignal | undefined) {
    this.#source = source
    this.#streams = streams && canStream(source)
    this.#limit = limit
    this.#signal = signal
    this.size = source.size ?? 0
  }

  /**
   * Returns bytes from `start`, before `end`. `done`: they are the last bytes. If the size is unknown, the last chunk is empty,
   * because IVCAP requires the length in a separate request.
   */
  async slice(start: number, end: number): Promise<{ value: Chunk; done: boolean }> {
    if (this.#streams) return this.#streamedChunk(start, Math.min(end, start + this.#limit(), this.size))
    if (start < this.#current.start || start >= this.#current.end) await this.#advance(start)
    const { start: first, end: last, memory } = this.#current
    const bytes = memory.subarray(start - first, Math.min(last, end, start + this.#limit()) - first)
    const { size } = this.#source
    const done = size === undefined ? bytes.byteLength === 0 : start + bytes.byteLength === size
    // checked before the last bytes are sent, so that changed content never becomes an artifact
    if (done && (await this.#source.unchanged?.()) === false) throw changed()
    return { value: { size: bytes.byteLength, body: bytes }, done }
  }

  /** tus-js-client closes the reader after each attempt; the stream stays open for the next one. */
  close(): void {}

  async stop(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.cancel().catch(() => {})
  }

  #streamedChunk(start: number, end: number): { value: Chunk; done: boolean } {
    const open = () => piecesOf(this.#source, start, end, this.#signal)
    return { value: { size: end - start, body: { size: end - start, open } }, done: end === this.size }
  }

  async #advance(start: number): Promise<void> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined && ahead.start !== start) await ahead.chunk.catch(() => {})
    const chunk = ahead?.start === start ? await ahead.chunk : await this.#readFrom(start)
    this.#spare = this.#current.memory
    this.#current = chunk
    if (chunk.end === this.#source.size || chunk.end === chunk.start) return
    const next = this.#read(chunk.end)
    // the error is thrown when this chunk is used
    next.catch(() => {})
    this.#ahead = { start: chunk.end, chunk: next }
  }

  async #readFrom(start: number): Promise<BufferedChunk> {
    if (this.#stream === undefined || start !== this.#position) await this.#open(start)
    return this.#read(start)
  }

  async #read(start: number): Promise<BufferedChunk> {
    const { size } = this.#source
    const end = Math.min(start + this.#limit(), size ?? Number.POSITIVE_INFINITY)
    const memory = this.#spare.byteLength < end - start ? new Uint8Array(end - start) : this.#spare
    this.#spare = new Uint8Array()
    while (this.#position < end) {
      const piece = this.#rest ?? (await this.#next())
      if (piece === undefined) break
      const fitting = piece.subarray(0, end - this.#position)
      memory.set(fitting, this.#position - start)
      this.#position += fitting.byteLength
      this.#rest = fitting.byteLength < piece.byteLength ? piece.subarray(fitting.byteLength) : undefined
    }
    if (size !== undefined && this.#position < end) throw changed()
    return { start, end: this.#position, memory }
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined
    const { done, value } = (await this.#stream?.read()) ?? { done: true, value: undefined }
    this.#ended = done
    return value
  }

  async #open(offset: number): Promise<void> {
    if (!this.#source.replayable && (this.#stream !== undefined || offset !== 0)) throw notReplayable(offset)
    await this.stop()
    this.#rest = undefined
    this.#ended = false
    this.#position = offset
    const signal = this.#signal && { signal: this.#signal }
    this.#stream = this.#source.open({ offset, retainChunks: 1, ...signal }).getReader()
  }
}

/** True if the source can be opened at any offset, and its size is known. */
export const canStream = ({ size, replayable }: ByteSource): boolean => replayable && size !== undefined

function notReplayable(offset: number): IvcapError {
  const message =
    `the deployment wants the content again from byte ${offset}, and a stream can't go back: ` +
    'upload it again, from a file, a Blob or bytes'
  return new IvcapError('unavailable', message, { argument: 'content', retryable: false })
}

/**
 * Yields the bytes from `start`, before `end`, of a source that can be opened at any offset. If the content has changed, fails
 * with `integrity` before its last bytes. A piece is valid until `MAX_IN_FLIGHT` more were requested.
 */
async function* piecesOf(
  source: ByteSource,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = source
    .open({ offset: start, end, retainChunks: MAX_IN_FLIGHT, ...(signal && { signal }) })
    .getReader()
  let position = start
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      position += value.byteLength
      if (position > end) throw changed()
      if (position === source.size && (await source.unchanged?.()) === false) throw changed()
      yield value
    }
    if (position < end) throw changed()
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function changed(): IvcapError {
  return new IvcapError(
    'integrity',
    'the content changed while it was read: upload it again when nobody writes to it',
  )
}
