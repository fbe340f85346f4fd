import { expectListeners } from '#files'
import type { OpOptions } from '../ports.js'
import { Part } from './part.js'

export interface ParallelParts extends OpOptions {
  /** The bytes of the whole. */
  readonly start: number
  readonly end: number
  /** Bytes per request. */
  readonly partSize: number
  /** The end of the first part, where a request for it has been made already; default: by `partSize`. */
  readonly firstEnd?: number
  /** Parts on their way, or in memory, at once. */
  readonly concurrency: number
  /** Fills the part to its end; when it settles, no connection of it is in use. */
  receive(part: Part, signal: AbortSignal): Promise<void>
  /** Sees the bytes in their order before they are handed out; what it throws fails the body. */
  inspect?(bytes: Uint8Array, last: boolean): void | Promise<void>
  /** Ends what is open besides. */
  close?(): Promise<void>
}

/**
 * The bytes of a range, in order, from several requests at once. Nothing is taken from the network before somebody reads;
 * at the end, after an error, a cancel or an abort no connection is held.
 */
export function parallelParts(o: ParallelParts): ReadableStream<Uint8Array> {
  const { signal } = o
  const window = new Window(o)
  let onAbort = () => {}
  const stop = async (reason: unknown) => {
    signal?.removeEventListener('abort', onAbort)
    await window.stop(reason)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => void stop(signal?.reason).then(() => controller.error(signal?.reason))
        signal?.addEventListener('abort', onAbort)
      },
      async pull(controller) {
        try {
          const bytes = await window.next()
          await o.inspect?.(bytes, window.done)
          signal?.throwIfAborted()
          controller.enqueue(bytes)
          if (!window.done) return
          await stop(undefined)
          controller.close()
        } catch (error) {
          await stop(error)
          throw signal?.aborted ? signal.reason : error
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  )
}

/** The parts that are on their way, or wait in memory. */
class Window {
  readonly #o: ParallelParts
  readonly #parts: Part[] = []
  readonly #stopping = new AbortController()
  readonly #receiving = new Set<Promise<void>>()
  #next: number

  constructor(o: ParallelParts) {
    this.#o = o
    this.#next = o.start
    expectListeners(this.#stopping.signal)
  }

  get done(): boolean {
    return this.#next === this.#o.end && this.#parts.length === 0
  }

  async next(): Promise<Uint8Array> {
    this.#fill()
    const [part] = this.#parts
    if (part === undefined) return new Uint8Array()
    const bytes = await part.take()
    if (part.done) this.#parts.shift()
    return bytes
  }

  async stop(reason: unknown): Promise<void> {
    this.#stopping.abort(reason)
    await Promise.all([...this.#receiving, this.#o.close?.()])
  }

  #fill(): void {
    const { start, end, firstEnd, partSize, concurrency } = this.#o
    while (this.#parts.length < concurrency && this.#next < end) {
      const first = this.#next === start ? firstEnd : undefined
      const part = new Part(this.#next, first ?? Math.min(this.#next + partSize, end))
      this.#parts.push(part)
      this.#next = part.end
      const receiving = this.#o
        .receive(part, this.#stopping.signal)
        .catch((error: unknown) => part.fail(error))
        .finally(() => this.#receiving.delete(receiving))
      this.#receiving.add(receiving)
    }
  }
}
