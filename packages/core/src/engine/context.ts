import { type IvcapError, isIvcapError } from '../model/errors.js'
import { type EventListener, emit } from '../model/events.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { type Clock, systemClock } from '../model/time.js'
import type { BlobStore, OpOptions } from '../ports/index.js'
import { sleep } from '../retry/retry.js'
import { BackgroundWork } from './background.js'
import { LayoutMarker } from './layout.js'

/** State that all parts of the engine share. */
export interface Engine extends Settings {
  readonly blobs: BlobStore
  readonly layout: LayoutMarker
  /** Index clean-up that runs after operations have returned. */
  readonly background: BackgroundWork
  /** Names of index entries that this process is moving to the history. */
  readonly moving: Set<string>
}

interface Settings {
  readonly clock: Clock
  /** Returns a new random uuid. */
  readonly uuid: () => string
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number
  /** Rejects with `signal.reason` as soon as it aborts. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>
  /** The writer's name, stored in records and closings. */
  readonly asserter?: string
  readonly onEvent?: EventListener
}

/** Only tests may set other settings than `clock`, `asserter` and `onEvent`. */
export function createEngine(blobs: BlobStore, settings: Partial<Settings> = {}): Engine {
  return {
    blobs,
    clock: systemClock,
    uuid: () => crypto.randomUUID(),
    random: Math.random,
    pause: sleep,
    ...settings,
    layout: new LayoutMarker(blobs),
    background: new BackgroundWork(),
    moving: new Set(),
  }
}

/**
 * Calls `run` for one of many records. If that record is damaged, emits `left-out` and returns undefined, so that one damaged
 * record never fails a list.
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
