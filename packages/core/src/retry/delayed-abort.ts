import { startTimer, stopTimer, type Timer } from '../model/timers.js'
import type { OpOptions } from '../ports/index.js'

/**
 * A signal for a request that may have been carried out when it is cut off: it aborts some time after the caller's, so that
 * as a rule the answer comes and tells what is there. None where the caller has none.
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
 * The result of work that hears no signal itself. After an abort it rejects with the signal's reason at once; what becomes of
 * the work is ignored then.
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
