import { IvcapError } from '../model/errors.js'
import { micros, parseTime, type TimeInput, type Timestamp } from '../model/time.js'
import { show } from '../model/urn.js'

/** Parses the value; returns undefined if it is absent. */
export const ifGiven = <T, V>(
  value: V | undefined,
  argument: string,
  parse: (value: V, argument: string) => T,
): T | undefined => (value === undefined ? undefined : parse(value, argument))

/** @throws IvcapError `invalid-argument` unless the value is a text with a character other than blanks */
export function checkText(value: unknown, argument: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw invalid(argument, "a text that isn't empty", value)
}

/** @throws IvcapError `invalid-argument` unless the value is a whole number >= `least` */
export function checkCount(value: unknown, argument: string, least = 0): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw invalid(argument, `a whole number from ${least}`, value)
}

/** @throws IvcapError `invalid-argument` unless the value is a whole number >= 0, or Infinity */
export function checkLimit(value: unknown, argument = 'limit'): number {
  if (value === Number.POSITIVE_INFINITY) return value
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(argument, 'a whole number from 0, or Infinity for all', value)
}

/** @throws IvcapError `invalid-argument` unless the value is a number of milliseconds > 0, or Infinity */
export function checkTimeout(value: unknown): number {
  if (typeof value === 'number' && value > 0) return value
  throw invalid('timeout', 'a number of milliseconds above 0, or Infinity', value)
}

/** @throws IvcapError `invalid-argument` unless the value is a number of milliseconds >= 0 */
export function checkInterval(value: unknown, argument: string): number {
  if (typeof value === 'number' && value >= 0) return value
  throw invalid(argument, 'a number of milliseconds from 0', value)
}

/** @throws IvcapError `invalid-argument` unless the value is one of the words */
export function checkWord<W extends string>(value: unknown, argument: string, words: readonly W[]): W {
  const known = words.find((word) => word === value)
  if (known !== undefined) return known
  throw invalid(argument, `one of ${words.map((word) => `'${word}'`).join(', ')}`, value)
}

/** Milliseconds by which the clock that produced a given time may be ahead of this machine's clock. */
const CLOCK_SKEW = 5 * 60_000

/**
 * Parses the time of a query for what was in force then; undefined means now.
 *
 * @throws IvcapError `invalid-argument` if the input is not a time, or lies in the future
 */
export function parseAtTime(input: TimeInput | undefined): Timestamp | undefined {
  if (input === undefined) return undefined
  const at = parseTime(input, 'atTime')
  if (micros(at) <= (Date.now() + CLOCK_SKEW) * 1000) return at
  const message = `atTime is ${at}, which lies in the future: leave it out for what is in force now`
  throw new IvcapError('invalid-argument', message, { argument: 'atTime' })
}

function invalid(argument: string, wanted: string, value: unknown): IvcapError {
  return new IvcapError('invalid-argument', `${argument} must be ${wanted}, not ${show(value)}`, { argument })
}
