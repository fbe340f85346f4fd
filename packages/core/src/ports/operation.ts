import type { EventListener } from '../model/events.js'
import type { FailureLog } from '../model/failures.js'

/** Options that the client passes with every call. A driver must pass them on to the stores that it uses. */
export interface OpOptions {
  /** When it aborts, the operation stops its I/O and rejects with `signal.reason`, unwrapped. */
  readonly signal?: AbortSignal
  /** Receives events about what the result does not show. */
  readonly onEvent?: EventListener
  /** Collects the failures of this call, so that an error or a timeout can name the first cause. */
  readonly failures?: FailureLog
  /**
   * Attempts after the first one, for each request of the call. A call has one budget: the layer that sends a request repeats it,
   * and sets `attempts` on the error when the budget is used up. No layer above may repeat it then. A driver must pass the budget
   * on with every request that it makes.
   *
   * @default the driver's own; 5 in this workspace
   */
  readonly retries?: number
  /** Milliseconds before the first retry; doubles each time, with jitter. @default the driver's own */
  readonly retryDelay?: number
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Opaque; absent on the last page. */
  readonly cursor?: string
}

/** Bytes from `start` (inclusive) to `end` (exclusive). Without `end`: to the end of the content. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

export interface TransferOptions {
  /** Bytes per part or request, if the backend transfers in parts. */
  readonly chunkSize?: number
  /** Attempts after the first one. */
  readonly retries: number
  /** Milliseconds before the first retry; grows exponentially, with jitter. */
  readonly retryDelay: number
  /**
   * Receives the bytes that the other side has accepted so far, and the total if it is known. The number never decreases, reaches
   * the total once, at the end, and is not reported after an abort. `progressOf` of this package implements this for a driver.
   */
  readonly onProgress?: (accepted: number, total?: number) => void
}
