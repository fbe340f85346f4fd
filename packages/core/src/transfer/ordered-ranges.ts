import type { ByteRange, OpOptions } from '../ports.js'
import { parallelParts } from './parallel-parts.js'
import type { Part } from './part.js'

export interface OrderedRangesOptions extends OpOptions {
  /** The body of the first `trial` bytes, which was asked for already. Cancelled with the rest. */
  readonly first: ReadableStream<Uint8Array>
  /** Bytes after which it is known how fast one connection is. */
  readonly trial: number
  /** Bytes per millisecond from which one connection is as much as this machine can take. */
  readonly fast: number
  /** Bytes of each of several ranges. */
  readonly partSize: number
  /** Ranges that are on their way or wait in memory, which holds `partSize × concurrency` bytes at the most. */
  readonly concurrency: number
}

/** All bytes of a range, or an error. The signal ends when nobody wants them any more. */
export type OpenRange = (
  range: Required<ByteRange>,
  o: { readonly signal: AbortSignal },
) => Promise<ReadableStream<Uint8Array>>

/**
 * A range as one stream, in order. Its first bytes show whether one connection is all that can be wished for; then the rest
 * comes by another one, and else as smaller ranges, several at once. Nothing more is asked for before the first pull. What a
 * range fails with is told when its bytes are due. `cancel()` resolves when all have stopped.
 */
export function orderedRanges(
  range: Required<ByteRange>,
  open: OpenRange,
  o: OrderedRangesOptions,
): ReadableStream<Uint8Array> {
  const { signal } = o
  const ranges = new Ranges(range, open, o)
  const pieces = ranges.pieces()
  const forward = () => void ranges.stop(signal?.reason)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          signal?.throwIfAborted()
          signal?.addEventListener('abort', forward)
          const { done, value } = await pieces.next()
          signal?.throwIfAborted()
          if (!done) return controller.enqueue(value)
          signal?.removeEventListener('abort', forward)
          controller.close()
        } catch (error) {
          signal?.removeEventListener('abort', forward)
          await ranges.stop(error)
          throw signal?.aborted ? signal.reason : error
        }
      },
      async cancel(reason) {
        signal?.removeEventListener('abort', forward)
        await ranges.stop(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

class Ranges {
  readonly #o: OrderedRangesOptions
  readonly #open: OpenRange
  readonly #end: number
  readonly #stopping = new AbortController()
  #reader: ReadableStreamDefaultReader<Uint8Array>
  #position: number
  /** Milliseconds that bytes were waited for. */
  #waited = 0

  constructor({ start, end }: Required<ByteRange>, open: OpenRange, o: OrderedRangesOptions) {
    this.#o = o
    this.#open = open
    this.#position = start
    this.#end = end
    this.#reader = o.first.getReader()
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const { trial, fast } = this.#o
    yield await this.#first()
    yield* this.#all()
    if (this.#position === this.#end) return
    // what is there whenever it is wanted needs no second connection, however slow it is written down
    const rest = trial / this.#waited >= fast ? await this.#rest() : this.#parts()
    this.#reader = rest.getReader()
    yield* this.#all()
  }

  async stop(reason: unknown): Promise<void> {
    this.#stopping.abort(reason)
    await this.#reader.cancel(reason).catch(() => {})
  }

  /** How long the server takes to answer says nothing of the line. */
  async #first(): Promise<Uint8Array> {
    const { value = new Uint8Array() } = await this.#reader.read()
    this.#position += value.byteLength
    return value
  }

  async *#all(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const begun = performance.now()
      const { done, value } = await this.#reader.read()
      if (done) return
      this.#waited += performance.now() - begun
      this.#position += value.byteLength
      yield value
    }
  }

  #rest(): Promise<ReadableStream<Uint8Array>> {
    const range = { start: this.#position, end: this.#end }
    return this.#open(range, { signal: this.#stopping.signal })
  }

  #parts(): ReadableStream<Uint8Array> {
    const { partSize, concurrency } = this.#o
    return parallelParts({
      start: this.#position,
      end: this.#end,
      partSize,
      concurrency,
      signal: this.#stopping.signal,
      receive: async (part, signal) => pour(await this.#open(part, { signal }), part, signal),
    })
  }
}

/** All of a body, which ends with its part or fails. */
async function pour(body: ReadableStream<Uint8Array>, part: Part, signal: AbortSignal): Promise<void> {
  const reader = body.getReader()
  const onAbort = () => void reader.cancel(signal.reason).catch(() => {})
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      signal.throwIfAborted()
      const { done, value } = await reader.read()
      if (done) break
      part.add(value)
    }
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', onAbort)
    await reader.cancel().catch(() => {})
  }
}
