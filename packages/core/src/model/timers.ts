/**
 * The timers of the runtime, captured when this module is loaded. Tests of other code may replace the global timers by fake ones,
 * and calls of this SDK must not wait for those.
 */
// bound, because browsers throw if they are called on another object
const real = {
  setTimeout: globalThis.setTimeout.bind(globalThis),
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  setInterval: globalThis.setInterval.bind(globalThis),
  clearInterval: globalThis.clearInterval.bind(globalThis),
  timeout: AbortSignal.timeout.bind(AbortSignal),
}

/** Milliseconds. A timer with a longer delay would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

export type Timer = ReturnType<typeof globalThis.setTimeout>

/** As `setTimeout`, for any number of milliseconds. A delay beyond the limit of timers (24 days) is reduced to that limit. */
export function startTimer(run: () => void, ms: number): Timer {
  return real.setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER))
}

export function stopTimer(timer: Timer | undefined): void {
  real.clearTimeout(timer)
}

/** As `setInterval`, for any number of milliseconds. */
export function startInterval(run: () => void, ms: number): Timer {
  return real.setInterval(run, Math.min(Math.max(ms, 1), LONGEST_TIMER))
}

export function stopInterval(timer: Timer | undefined): void {
  real.clearInterval(timer)
}

/**
 * A signal that aborts after `ms` milliseconds, rounded up. Returns undefined for Infinity and for more than the limit of timers
 * (24 days).
 */
export function timeoutSignal(ms: number): AbortSignal | undefined {
  return ms > LONGEST_TIMER ? undefined : real.timeout(Math.ceil(ms))
}
