/**
 * The timers of the runtime, taken when this module is loaded: code under test replaces the global ones by timers that move only
 * when the test says so, and a call of this SDK must not wait for that.
 */
// bound: browsers refuse to call them on another object
const real = {
  setTimeout: globalThis.setTimeout.bind(globalThis),
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  setInterval: globalThis.setInterval.bind(globalThis),
  clearInterval: globalThis.clearInterval.bind(globalThis),
  timeout: AbortSignal.timeout.bind(AbortSignal),
}

/** Milliseconds; a timer beyond this fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

export type Timer = ReturnType<typeof globalThis.setTimeout>

/** As `setTimeout`, for any number of milliseconds: more than a timer takes (24 days) counts as that many. */
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
 * A signal that aborts after `ms` milliseconds, rounded up to whole ones. Undefined for more than a timer takes (24 days) and for
 * Infinity: that limit is never reached.
 */
export function timeoutSignal(ms: number): AbortSignal | undefined {
  return ms > LONGEST_TIMER ? undefined : real.timeout(Math.ceil(ms))
}
