import { IvcapError, isIvcapError } from '../model/errors.js'
import { emit } from '../model/events.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { startTimer, stopTimer } from '../model/timers.js'
import type { OpOptions } from '../ports/index.js'

export interface RetryOptions {
  /** Attempts after the first one. */
  readonly retries: number
  /** Milliseconds before the first retry; doubles each time up to 30 s, with jitter. */
  readonly retryDelay: number
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: OpOptions['onEvent'] | undefined
  readonly failures?: OpOptions['failures'] | undefined
  /**
   * Progress of a transfer, e.g. accepted bytes. If it has grown since the last failure, the count of attempts and the wait before
   * the next one restart.
   */
  readonly progress?: (() => number) | undefined
  /** Waits; must reject with the signal's reason as soon as it aborts. @default sleep */
  readonly pause?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined
}

/** The default budget of calls. */
export const DEFAULT_RETRIES = { retries: 5, retryDelay: 100 } as const

const LONGEST_BACKOFF = 30_000
/** Milliseconds. If a server requests a longer pause, the call fails with `retryAfter` instead of waiting. */
export const LONGEST_RETRY_AFTER = 5 * 60_000

/**
 * Calls `run` until it succeeds, fails with an error that is not `retryable`, or `retries` are used up. Waits at least as long as
 * the error's `retryAfter`. An abort ends the wait at once with the signal's reason.
 *
 * Only one layer repeats a request: an error whose retries are used up has `attempts`, and every outer `retry` rethrows it. In that
 * case the first failure is thrown, since later ones are often its consequences.
 *
 * @param run gets the number of the attempt, from 0
 */
export async function retry<T>(run: (attempt: number) => Promise<T>, o: RetryOptions): Promise<T> {
  const { retries, retryDelay, signal, pause = sleep } = o
  let row: Row | undefined
  let begun = performance.now()
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted()
    try {
      return await run(attempt)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (!isIvcapError(error) || error.attempts !== undefined || !error.retryable) throw error
      o.failures?.add(error)
      const position = o.progress?.() ?? 0
      if (row === undefined || position > row.position) {
        if (row !== undefined) begun = row.last
        row = { first: error, position, count: 0, last: begun }
      }
      row.count += 1
      row.last = performance.now()
      const asked = error.retryAfter ?? 0
      if (row.count > retries || asked > LONGEST_RETRY_AFTER)
        throw exhausted(row.first, error, row.count, row.last - begun)
      const wait = Math.max(backoff(retryDelay, row.count - 1), asked)
      emit(
        omitUndefined({
          kind: 'retry' as const,
          message: `attempt ${attempt + 1} failed, trying again in ${Math.round(wait)} ms: ${error.message}`,
          resource: error.resource,
          attempt: attempt + 1,
          wait,
          error,
        }),
        o.onEvent,
      )
      await pause(wait, signal)
    }
  }
}

/** Consecutive failures without progress. */
interface Row {
  readonly first: IvcapError
  readonly position: number
  count: number
  /** Time of the last failure. */
  last: number
}

/**
 * The options that a call must pass on to every request that it makes. Omits options of a single transfer, such as `onProgress`,
 * which do not apply to other requests.
 */
export const opOptions = ({ signal, onEvent, failures, retries, retryDelay }: OpOptions): OpOptions =>
  omitUndefined({ signal, onEvent, failures, retries, retryDelay })

/**
 * Options of requests that clean up after a failure, or query its outcome. They have no signal, since the caller's may have
 * aborted. If the retries are used up already, each of these requests is sent only once.
 */
export function afterFailure(error: unknown, o: OpOptions): OpOptions {
  const { signal: _, failures: _ended, ...rest } = opOptions(o)
  return isIvcapError(error) && error.attempts !== undefined ? { ...rest, retries: 0 } : rest
}

/** The first failure, with `attempts`, so that no outer layer repeats the request. */
export function exhausted(
  first: IvcapError,
  last: IvcapError,
  attempts: number,
  elapsed: number,
): IvcapError {
  const after = attempts === 1 ? '' : ` (after ${attempts} attempts in ${seconds(elapsed)})`
  const { code, operation, argument, resource, status, retryable } = first
  return new IvcapError(
    code,
    `${first.message}${after}`,
    omitUndefined({
      operation,
      argument,
      resource,
      status,
      retryable,
      retryAfter: last.retryAfter,
      attempts,
      elapsed: Math.round(elapsed),
      cause: first.cause,
    }),
  )
}

const seconds = (ms: number) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

/** Milliseconds before the attempt after `attempt`. With jitter, so that many clients do not return at the same moment. */
export function backoff(retryDelay: number, attempt: number): number {
  return Math.min(retryDelay * 2 ** attempt, LONGEST_BACKOFF) * (0.5 + Math.random() / 2)
}

/** Waits. Rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      stopTimer(timer)
      reject(signal?.reason)
    }
    const timer = startTimer(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
