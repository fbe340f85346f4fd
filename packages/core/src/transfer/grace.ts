/**
 * A signal for a request that may have been carried out when it is cut off: it aborts some time after the caller's, so that
 * as a rule the answer comes and tells what is there.
 */
export function laterThan(
  signal: AbortSignal | undefined,
  ms: number,
): { readonly signal: AbortSignal; clear(): void } {
  const stop = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const onAbort = () => {
    timer = setTimeout(() => stop.abort(signal?.reason), ms)
  }
  signal?.addEventListener('abort', onAbort)
  return {
    signal: stop.signal,
    clear() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
