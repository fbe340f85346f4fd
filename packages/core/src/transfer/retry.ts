import { isIvcapError } from '../model/errors.js'

export interface RetryOptions {
  /** Attempts after the first. */
  readonly retries: number
  /** Milliseconds before the first of them; doubles each time, up to half a minute, with jitter. */
  readonly retryDelay: number
  readonly signal?: AbortSignal | undefined
}

const LONGEST_DELAY = 30_000

/**
 * Runs it until it succeeds, fails with an error that isn't `retryable`, or `retries` are used up; the last error is thrown.
 * Waits at least as long as an error's `retryAfter` says. An abort ends the waiting at once with the signal's reason.
 *
 * @param run Gets the number of the attempt, from 0.
 */
export async function retry<T>(run: (attempt: number) => Promise<T>, o: RetryOptions): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    o.signal?.throwIfAborted()
    try {
      return await run(attempt)
    } catch (error) {
      if (o.signal?.aborted) throw o.signal.reason
      if (attempt >= o.retries || !isIvcapError(error) || !error.retryable) throw error
      await sleep(Math.max(backoff(o.retryDelay, attempt), error.retryAfter ?? 0), o.signal)
    }
  }
}

/** Milliseconds before the attempt after `attempt`: jittered, so that many clients don't come back at the same moment. */
export function backoff(retryDelay: number, attempt: number): number {
  return Math.min(retryDelay * 2 ** attempt, LONGEST_DELAY) * (0.5 + Math.random() / 2)
}

/** Rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
