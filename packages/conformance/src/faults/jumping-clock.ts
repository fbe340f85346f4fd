import type { Clock } from '@ivcap/core/internal'

/** Microseconds. */
const FAR = 10 * 60 * 1_000_000
const FARTHEST = 400 * 24 * 3600 * 1_000_000

/**
 * Returns a wall clock that is set wrong, forwards or back, in one of eight reads on average. It is wrong by up to ten minutes, and
 * in one of eight cases by up to 400 days.
 *
 * @param now milliseconds since 1970
 */
export function jumpingClock(random: () => number, now: () => number = Date.now): Clock {
  let wrong = 0
  return () => {
    if (random() < 1 / 8) wrong = Math.floor((random() * 2 - 1) * (random() < 1 / 8 ? FARTHEST : FAR))
    return now() * 1000 + wrong
  }
}
