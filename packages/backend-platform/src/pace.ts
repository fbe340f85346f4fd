/** Bytes in one request, unless the caller says otherwise: as much as goes in a few seconds, within these bounds. */
const FIRST = 1 << 20
const LARGEST = 4 << 20
/** Where they are read while they are sent, and more of them costs no memory. */
const LARGEST_STREAMED = 64 << 20
const SMALLEST = 64 << 10

/** Milliseconds that a request may take before the next carries less, and those below which it carries more. */
const SLOW = 8_000
const FAST = 1_000

/** How much to send at once: little over a slow line, so that little is lost when it breaks and none looks stalled. */
export class Pace {
  readonly #largest: number
  #bytes: number

  /** @param chunkSize the caller's upper bound, in bytes */
  constructor(chunkSize: number | undefined, streamed: boolean) {
    const largest = streamed ? LARGEST_STREAMED : LARGEST
    this.#largest = chunkSize ?? largest
    this.#bytes = chunkSize === undefined ? FIRST : Math.min(chunkSize, largest)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A request with `bytes` was taken within `ms`. */
  took(bytes: number, ms: number): void {
    if (bytes < this.#bytes) return
    if (ms < FAST) this.#bytes = Math.min(this.#bytes * 2, this.#largest)
    else if (ms > SLOW) this.failed()
  }

  failed(): void {
    this.#bytes = Math.min(this.#largest, Math.max(SMALLEST, this.#bytes >> 1))
  }
}

/** Below it a second upload costs no more than taking up the first. */
export const WORTH_RESUMING = FIRST
