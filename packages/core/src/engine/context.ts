import { type IvcapError, isIvcapError } from '../model/errors.js'
import { type EventListener, emit } from '../model/events.js'
import { omitUndefined } from '../model/omit-undefined.js'
import type { Clock } from '../model/time.js'
import type { BlobStore, OpOptions } from '../ports/index.js'

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
  readonly onEvent?: EventListener
}

/**
 * Runs it for one of many records. If that record is damaged, emits `left-out` and returns undefined, so that one bad record
 * never fails a list.
 */
export async function orLeaveOut<T>(
  engine: Pick<Engine, 'onEvent'>,
  resource: string,
  o: OpOptions,
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    if (!isIvcapError(error, 'integrity')) throw error
    leaveOut(engine, resource, error.message, o, error)
    return undefined
  }
}

export function leaveOut(
  engine: Pick<Engine, 'onEvent'>,
  resource: string,
  message: string,
  o: OpOptions,
  error?: IvcapError,
): void {
  emit(omitUndefined({ kind: 'left-out' as const, resource, message, error }), engine.onEvent, o.onEvent)
}
