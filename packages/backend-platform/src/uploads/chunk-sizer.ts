/** Bytes of the first request, unless the caller sets a limit. */
const FIRST = 1 << 20
const LARGEST = 4 << 20
/** Maximum bytes if chunks are read while they are sent: large chunks then use no memory. */
const LARGEST_STREAMED = 64 << 20
const SMALLEST = 64 << 10

/** Milliseconds. A request that took longer than `SLOW` is followed by a smaller one; less than `FAST`, by a larger one. */
const SLOW = 8_000
const FAST = 1_000

/** Below this size, in bytes, a new upload costs no more than a resumed one. */
export const MIN_RESUMABLE = FIRST

/** Adapts the size of requests to the line. On a slow line, small chunks lose less if it breaks, and none appears stalled. */
export class ChunkSizer {
  readonly #largest: number
  #bytes: number

  /** @param chunkSize the caller's upper bound, in bytes */
  constructor(chunkSize: number | undefined, streamed: boolean) {
    const largest = streamed ? LARGEST_STREAMED : LARGEST
    this.#largest = chunkSize ?? largest
    this.#bytes = chunkSize === undefined ? FIRST : Math.min(chunkSize, largest)
  }

  /** Bytes of the next request. */
  get bytes(): number {
    return this.#bytes
  }

  /** Call this when a request with `bytes` was accepted after `ms`. */
  recordSuccess(bytes: number, ms: number): void {
    if (bytes < this.#bytes) return
    if (ms < FAST) this.#bytes = Math.min(this.#bytes * 2, this.#largest)
    else if (ms > SLOW) this.recordFailure()
  }

  recordFailure(): void {
    this.#bytes = Math.min(this.#largest, Math.max(SMALLEST, this.#bytes >> 1))
  }
}
