import { expectListeners } from '#runtime'
import type { OpOptions } from '../ports/index.js'
import { pullStream } from '../streams/pull-stream.js'
import { Part } from './part.js'

export interface ParallelParts extends OpOptions {
  /** Start (inclusive) and end (exclusive) of the whole range. */
  readonly start: number
  readonly end: number
  /** End of the first part, which is used to measure the speed of one connection. */
  readonly firstEnd: number
  /** Bytes per millisecond from which one connection suffices. @default 100 MiB/s */
  readonly fast?: number
  /** Bytes per request, if one connection is slow. */
  readonly partSize: number
  /** Maximum number of parts that are in transfer or in memory, i.e. `partSize × concurrency` bytes. */
  readonly concurrency: number
  /**
   * Must fill the part to its end, and wait for its `room`. When it settles, it must not use any connection. The signal aborts when
   * the bytes are no longer needed.
   */
  receive(part: Part, signal: AbortSignal): Promise<void>
  /** Called with the bytes in order, before they are delivered. If it throws, the body fails. */
  inspect?(bytes: Uint8Array, last: boolean): void | Promise<void>
  /** Closes everything else that is open. */
  close?(): Promise<void>
}

/**
 * Nearly all of a gigabit line, and more than the rate of one connection to S3 according to AWS. A server on the same machine is
 * faster; further connections would only take processor time from it and from this process.
 */
const FAST = (100 << 20) / 1000

/**
 * Streams a range in order. The first part shows whether one connection is fast enough. If so, the rest is read by one more
 * request, otherwise in several concurrent parts. Nothing is read from the network before the first read of the stream. The
 * failure of a part is reported when its bytes are due. At the end, and after an error, a cancel or an abort, no connection is
 * held.
 */
export function parallelParts(o: ParallelParts): ReadableStream<Uint8Array> {
  const window = new Window(o)
  return pullStream({
    async next() {
      const chunk = await window.next()
      const { done } = window
      await o.inspect?.(chunk, done)
      // a connection can be reused after its response was read to the end
      if (done) await window.settled()
      return { chunk, done }
    },
    stop: (reason) => window.stop(reason),
    signal: o.signal,
    started: true,
  })
}

/** The parts that are in transfer or in memory. */
class Window {
  readonly #o: ParallelParts
  readonly #parts: Part[] = []
  readonly #stopping = new AbortController()
  readonly #receiving = new Set<Promise<void>>()
  #next: number
  /** Milliseconds spent waiting for bytes of the first part. */
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
    // the response time of the server tells nothing about the speed of the connection
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
    // if the bytes always arrive before they are needed, a second connection is useless, however slow the reader is
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
