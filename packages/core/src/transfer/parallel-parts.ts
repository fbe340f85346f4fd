import { expectListeners } from '#runtime'
import type { OpOptions } from '../ports/index.js'
import { pullStream } from '../streams/pull-stream.js'
import { Part } from './part.js'

export interface ParallelParts extends OpOptions {
  /** The bytes of the whole. */
  readonly start: number
  readonly end: number
  /** The end of the first part, which shows how fast one connection is. */
  readonly firstEnd: number
  /** Bytes per millisecond from which one connection is as much as this machine can take; default: 100 MiB/s. */
  readonly fast?: number
  /** Bytes per request, where one connection is slow. */
  readonly partSize: number
  /** Parts on their way, or in memory, at once: `partSize × concurrency` bytes at the most. */
  readonly concurrency: number
  /**
   * Fills the part to its end, waiting for its `room`; when it settles, no connection of it is in use. The signal ends when
   * nobody wants the bytes any more.
   */
  receive(part: Part, signal: AbortSignal): Promise<void>
  /** Sees the bytes in their order before they are handed out; what it throws fails the body. */
  inspect?(bytes: Uint8Array, last: boolean): void | Promise<void>
  /** Ends what is open besides. */
  close?(): Promise<void>
}

/**
 * Nearly all of a gigabit line, and more than AWS says a connection to S3 gives; a server on the same machine gives more, and
 * further connections would take its time, and ours.
 */
const FAST = (100 << 20) / 1000

/**
 * The bytes of a range, in order. Its first part shows whether one connection is all that can be wished for; then the rest comes
 * by one more request, and else in parts, several at once. Nothing is taken from the network before somebody reads; what a
 * part fails with is told when its bytes are due; at the end, after an error, a cancel or an abort no connection is held.
 */
export function parallelParts(o: ParallelParts): ReadableStream<Uint8Array> {
  const window = new Window(o)
  return pullStream({
    async next() {
      const chunk = await window.next()
      const { done } = window
      await o.inspect?.(chunk, done)
      // a connection whose response was read to its end is kept
      if (done) await window.settled()
      return { chunk, done }
    },
    stop: (reason) => window.stop(reason),
    signal: o.signal,
    started: true,
  })
}

/** The parts that are on their way, or wait in memory. */
class Window {
  readonly #o: ParallelParts
  readonly #parts: Part[] = []
  readonly #stopping = new AbortController()
  readonly #receiving = new Set<Promise<void>>()
  #next: number
  /** Milliseconds that bytes of the first part were waited for. */
  #waited = 0

  constructor(o: ParallelParts) {
    this.#o = o
    this.#next = o.start
    expectListeners(this.#stopping.signal)
  }

  get done(): boolean {
    return this.#next === this.#o.end && this.#parts.length === 0
  }

  async next(): Promise<Uint8Array> {
    if (this.#parts.length === 0 || this.#next > this.#o.firstEnd) this.#fill()
    const [part] = this.#parts
    if (part === undefined) return new Uint8Array()
    const begun = performance.now()
    // how long the server takes to answer says nothing of the line
    const answered = part.position > this.#o.start
    const bytes = await part.take()
    if (part.start === this.#o.start && answered) this.#waited += performance.now() - begun
    if (part.done) this.#parts.shift()
    return bytes
  }

  async settled(): Promise<void> {
    await Promise.all(this.#receiving)
  }

  async stop(reason: unknown): Promise<void> {
    this.#stopping.abort(reason)
    await Promise.all([...this.#receiving, this.#o.close?.()])
  }

  #fill(): void {
    const { start, end, firstEnd, partSize, concurrency } = this.#o
    if (this.#next === start) this.#launch(firstEnd)
    // what is there whenever it is wanted needs no second connection, however slowly it is used
    else if (this.#next === firstEnd && this.#isFast()) this.#launch(end)
    else {
      while (this.#parts.length < concurrency && this.#next < end)
        this.#launch(Math.min(this.#next + partSize, end))
    }
  }

  #isFast(): boolean {
    const { start, firstEnd, fast = FAST } = this.#o
    return this.#waited * fast <= firstEnd - start
  }

  #launch(end: number): void {
    if (this.#next === end) return
    const part = new Part(this.#next, end, this.#o.partSize)
    this.#parts.push(part)
    this.#next = end
    const receiving = this.#o
      .receive(part, this.#stopping.signal)
      .catch((error: unknown) => part.fail(error))
      .finally(() => this.#receiving.delete(receiving))
    this.#receiving.add(receiving)
  }
}
