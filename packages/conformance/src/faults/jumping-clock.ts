import type { Clock } from '@ivcap/core/driver'

/** Microseconds. */
const FARTHEST = 10 * 60 * 1_000_000

/**
 * A wall clock that is set wrong, forwards or back by up to ten minutes, every eighth time that it is looked at.
 *
 * @param now milliseconds since 1970
 */
export function jumpingClock(random: () => number, now: () => number = Date.now): Clock {
  let wrong = 0
  return () => {
    if (random() < 1 / 8) wrong = Math.floor((random() * 2 - 1) * FARTHEST)
    return now() * 1000 + wrong
  }
}
