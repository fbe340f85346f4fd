import type { Clock } from '../model/time.js'
import type { BlobStore } from '../ports.js'

/** What the engine's parts work with. All but the store is injectable for the sake of tests. */
export interface Engine {
  readonly blobs: BlobStore
  readonly clock: Clock
  /** A new random uuid. */
  readonly uuid: () => string
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** Rejects with `signal.reason` as soon as it aborts. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Schemas, as they stand in keys, that this process has seen linked. */
  readonly linked: Set<string>
  /** Who writes: goes into records and closings. */
  readonly asserter?: string
}
