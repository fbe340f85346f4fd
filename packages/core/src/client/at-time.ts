import { IvcapError } from '../model/errors.js'
import { micros, parseTime, type TimeInput, type Timestamp } from '../model/time.js'

/** Milliseconds that the clock of whoever made up a time may be ahead of this one. */
const SKEW = 5 * 60_000

/**
 * The time that a reader looks at; absent: now.
 *
 * @throws IvcapError `invalid-argument` for what is no time, and for one that is yet to come
 */
export function parseAtTime(input: TimeInput | undefined): Timestamp | undefined {
  if (input === undefined) return undefined
  const at = parseTime(input, 'atTime')
  if (micros(at) <= (Date.now() + SKEW) * 1000) return at
  const message = `atTime is ${at}, of which nothing is known yet: leave it out for what is in force now`
  throw new IvcapError('invalid-argument', message, { argument: 'atTime' })
}
