import { type ByteSource, IvcapError } from '@ivcap/core/driver'

/** A piece of the content, in the form that tus-js-client asks of what it hands through: `size` is looked at. */
export interface Chunk {
  readonly size: number
  /** Valid until the next chunk is read. */
  readonly bytes: Uint8Array
}

/**
 * A source, chunk by chunk, as an upload needs it: forward, and back after a fault. One that can be opened only once goes
 * back as far as the chunk read last, which is kept. No more than one chunk is in memory.
 */
export class SourceReader {
  /** For tus-js-client: bytes, or null. */
  readonly size: number
  readonly #source: ByteSource
  readonly #signal: AbortSignal | undefined
  readonly #limit: () => number
  #stream: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** What the stream gave beyond the chunk read last. */
  #rest: Uint8Array | undefined
  #ended = false
  #memory = new Uint8Array()
  /** The chunk read last: `[start, end)` of the content. */
  #start = 0
  #end = 0

  /** @param limit bytes that the next chunk may have, asked each time */
  constructor(source: ByteSource, limit: () => number, signal: AbortSignal | undefined) {
    this.#source = source
    this.#limit = limit
    this.#signal = signal
    this.size = source.size ?? 0
  }

  /**
   * Bytes from `start`, before `end`; `done` when they are the last. Where the size is unknown the end shows as a chunk of
   * its own, without bytes, as IVCAP wants its length told.
   */
  async slice(start: number, end: number): Promise<{ value: Chunk; done: boolean }> {
    const wanted = Math.min(end, start + this.#limit(), this.#source.size ?? Number.POSITIVE_INFINITY)
    if (start < this.#start || start >= this.#end) await this.#read(start, wanted)
    const bytes = this.#memory.subarray(start - this.#start, Math.min(this.#end, wanted) - this.#start)
    const { size } = this.#source
    const done = size === undefined ? bytes.byteLength === 0 : start + bytes.byteLength === size
    // before the last bytes are sent: what has changed must not become an artifact
    if (done && (await this.#source.unchanged?.()) === false) throw changed()
    return { value: { size: bytes.byteLength, bytes }, done }
  }

  /** tus-js-client closes it at the end of each try; it stays open for the next. */
  close(): void {}

  async stop(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.cancel().catch(() => {})
  }

  async #read(start: number, end: number): Promise<void> {
    if (this.#stream === undefined || start !== this.#end) await this.#open(start)
    if (this.#memory.byteLength < end - start && end > start) this.#memory = new Uint8Array(end - start)
    this.#start = start
    this.#end = start
    while (this.#end < end) {
      const piece = this.#rest ?? (await this.#next())
      if (piece === undefined) break
      const fitting = piece.subarray(0, end - this.#end)
      this.#memory.set(fitting, this.#end - start)
      this.#end += fitting.byteLength
      this.#rest = fitting.byteLength < piece.byteLength ? piece.subarray(fitting.byteLength) : undefined
    }
    const { size } = this.#source
    if (size !== undefined && this.#end < end) throw changed()
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined
    const { done, value } = (await this.#stream?.read()) ?? { done: true, value: undefined }
    this.#ended = done
    return value
  }

  async #open(offset: number): Promise<void> {
    if (this.#stream !== undefined && !this.#source.replayable) throw gone(offset)
    if (!this.#source.replayable && offset !== 0) throw gone(offset)
    await this.stop()
    this.#rest = undefined
    this.#ended = false
    const signal = this.#signal && { signal: this.#signal }
    this.#stream = this.#source.open({ offset, ...signal }).getReader()
    this.#start = offset
    this.#end = offset
  }
}

function gone(offset: number): IvcapError {
  const message =
    `the deployment wants the content again from byte ${offset}, and a stream can't go back: ` +
    'upload it again, from a file, a Blob or bytes'
  return new IvcapError('unavailable', message, { argument: 'content', retryable: false })
}

function changed(): IvcapError {
  return new IvcapError(
    'integrity',
    'the content changed while it was read: upload it again when nobody writes to it',
  )
}
