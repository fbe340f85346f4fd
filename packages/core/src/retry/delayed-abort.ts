import { startTimer, stopTimer, type Timer } from '../model/timers.js'
import type { OpOptions } from '../ports/index.js'

/**
 * A signal that aborts `ms` milliseconds after the caller's signal. For a request whose outcome would be unknown if it were cut
 * off: usually its response arrives in that time. If the caller has no signal, the options have none either.
 */
export function delayedAbort(
  signal: AbortSignal | undefined,
  ms: number,
): { readonly options: OpOptions; clear(): void } {
  if (signal === undefined) return { options: {}, clear() {} }
  const stop = new AbortController()
  let timer: Timer | undefined
  const onAbort = () => {
    timer = startTimer(() => stop.abort(signal.reason), ms)
  }
  signal.addEventListener('abort', onAbort)
  return {
    options: { signal: stop.signal },
    clear() {
      stopTimer(timer)
      signal.removeEventListener('abort', onAbort)
    },
  }
}

/**
 * Awaits work that does not observe a signal. After an abort it rejects at once with the signal's reason, and the outcome of the
 * work is ignored.
 */
export async function abortable<T>(work: T | PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
