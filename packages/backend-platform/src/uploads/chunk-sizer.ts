/** Bytes of the first request, unless the caller bounds it. */
const FIRST = 1 << 20
const LARGEST = 4 << 20
/** Bytes at most where chunks are read while they are sent, so that large ones take no memory. */
const LARGEST_STREAMED = 64 << 20
const SMALLEST = 64 << 10

/** Milliseconds: a request that took longer is followed by a smaller one, a request that took less by a larger one. */
const SLOW = 8_000
const FAST = 1_000

/** Below this size, in bytes, a new upload costs no more than a resumed one. */
export const MIN_RESUMABLE = FIRST

/** Adapts the size of requests to the line: on a slow line a small chunk is lost when it breaks, and none looks stalled. */
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

  /** A request with `bytes` was accepted within `ms`. */
  recordSuccess(bytes: number, ms: number): void {
    if (bytes < this.#bytes) return
    if (ms < FAST) this.#bytes = Math.min(this.#bytes * 2, this.#largest)
    else if (ms > SLOW) this.recordFailure()
  }

  recordFailure(): void {
    this.#bytes = Math.min(this.#largest, Math.max(SMALLEST, this.#bytes >> 1))
  }
}
