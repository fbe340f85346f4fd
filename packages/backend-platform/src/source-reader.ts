import { type ByteSource, IvcapError } from '@ivcap/core/driver'
import { changed, piecesOf } from './source-pieces.js'
import type { Streamed } from './transport/types.js'

/** A piece of the content, in the form that tus-js-client asks of what it hands through: `size` is looked at. */
export interface Chunk {
  readonly size: number
  /** Bytes are valid until the next chunk is read. */
  readonly body: Uint8Array | Streamed
}

/** `[start, end)` of the content, at the beginning of `memory`. */
interface Held {
  readonly start: number
  readonly end: number
  readonly memory: Uint8Array
}

/**
 * A source, chunk by chunk, as an upload needs it: forward, and back after a fault. One that can be opened only once goes
 * back as far as the chunk read last, which is kept. While a chunk is on its way the next is read; no more than these two
 * are in memory. Where chunks can be read while they are sent, and the source be opened anywhere, none is.
 */
export class SourceReader {
  /** For tus-js-client, which asks for it where it isn't told a size. */
  readonly size: number
  readonly #source: ByteSource
  readonly #streams: boolean
  readonly #signal: AbortSignal | undefined
  readonly #limit: () => number
  #stream: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** How far the stream was read, but for the rest. */
  #position = 0
  /** What the stream gave beyond the chunk read last. */
  #rest: Uint8Array | undefined
  #ended = false
  #held: Held = { start: 0, end: 0, memory: new Uint8Array() }
  #ahead: { readonly start: number; readonly chunk: Promise<Held> } | undefined
  #spare: Uint8Array = new Uint8Array()

  /**
   * @param streams whether chunks can be read while they are sent
   * @param limit bytes that the next chunk may have, asked each time
   */
  constructor(source: ByteSource, streams: boolean, limit: () => number, signal: AbortSignal | undefined) {
    this.#source = source
    this.#streams = streams && canStream(source)
    this.#limit = limit
    this.#signal = signal
    this.size = source.size ?? 0
  }

  /**
   * Bytes from `start`, before `end`; `done` when they are the last. Where the size is unknown the end shows as a chunk of
   * its own, without bytes, as IVCAP wants its length told.
   */
  async slice(start: number, end: number): Promise<{ value: Chunk; done: boolean }> {
    if (this.#streams) return this.#streamed(start, Math.min(end, start + this.#limit(), this.size))
    if (start < this.#held.start || start >= this.#held.end) await this.#advance(start)
    const { start: first, end: last, memory } = this.#held
    const bytes = memory.subarray(start - first, Math.min(last, end, start + this.#limit()) - first)
    const { size } = this.#source
    const done = size === undefined ? bytes.byteLength === 0 : start + bytes.byteLength === size
    // before the last bytes are sent: what has changed must not become an artifact
    if (done && (await this.#source.unchanged?.()) === false) throw changed()
    return { value: { size: bytes.byteLength, body: bytes }, done }
  }

  /** tus-js-client closes it at the end of each try; it stays open for the next. */
  close(): void {}

  async stop(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.cancel().catch(() => {})
  }

  #streamed(start: number, end: number): { value: Chunk; done: boolean } {
    const open = () => piecesOf(this.#source, start, end, this.#signal)
    return { value: { size: end - start, body: { size: end - start, open } }, done: end === this.size }
  }

  async #advance(start: number): Promise<void> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined && ahead.start !== start) await ahead.chunk.catch(() => {})
    const chunk = ahead?.start === start ? await ahead.chunk : await this.#readFrom(start)
    this.#spare = this.#held.memory
    this.#held = chunk
    if (chunk.end === this.#source.size || chunk.end === chunk.start) return
    const next = this.#read(chunk.end)
    // what it fails with is told to whoever asks for it
    next.catch(() => {})
    this.#ahead = { start: chunk.end, chunk: next }
  }

  async #readFrom(start: number): Promise<Held> {
    if (this.#stream === undefined || start !== this.#position) await this.#open(start)
    return this.#read(start)
  }

  async #read(start: number): Promise<Held> {
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
    if (!this.#source.replayable && (this.#stream !== undefined || offset !== 0)) throw gone(offset)
    await this.stop()
    this.#rest = undefined
    this.#ended = false
    this.#position = offset
    const signal = this.#signal && { signal: this.#signal }
    this.#stream = this.#source.open({ offset, keep: 1, ...signal }).getReader()
  }
}

/** Whether a source tells what is needed to read it from anywhere, and how much there is. */
export const canStream = ({ size, replayable }: ByteSource): boolean => replayable && size !== undefined

function gone(offset: number): IvcapError {
  const message =
    `the deployment wants the content again from byte ${offset}, and a stream can't go back: ` +
    'upload it again, from a file, a Blob or bytes'
  return new IvcapError('unavailable', message, { argument: 'content', retryable: false })
}
