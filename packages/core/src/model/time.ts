import { IvcapError } from './errors.js'
import { show } from './urn.js'

/**
 * UTC with six digits of seconds: `2026-01-31T09:30:00.123456Z`. Compared as strings. A `Date` holds milliseconds only,
 * and would lose the microseconds that IVCAP and its Python client write.
 */
export type Timestamp = string

/** What callers give: a Date, or an ISO 8601 string (one without a zone is taken as UTC). */
export type TimeInput = Date | string

/** Tells the time in microseconds since 1970. Injectable, so that tests can skew it. */
export type Clock = () => number

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/

/**
 * The wall clock, never the same microsecond twice in this process: what one process writes one after the other keeps its
 * order although the clock ticks in milliseconds. Follows a clock that is set back only once it has caught up.
 */
export const systemClock: Clock = (() => {
  let last = 0
  return () => {
    last = Math.max(Date.now() * 1000, last + 1)
    return last
  }
})()

/** From microseconds since 1970. */
export function timestamp(micros: number): Timestamp {
  const ms = Math.floor(micros / 1000)
  const rest = String(micros - ms * 1000).padStart(3, '0')
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`
}

/** Microseconds since 1970. Exact until the year 2255. */
export function micros(time: Timestamp): number {
  return Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26))
}

/** The timestamp that an ISO 8601 text stands for, or undefined. Offsets are resolved, microseconds kept, finer ones cut. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const m = ISO.exec(text.trim())
  if (m === null) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = m
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`)
  // Date.parse turns February 30 into March 2; a date that does not come back as written is none
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(`${year}-${month}-${day}`)) return undefined
  const shifted = ms - offsetMinutes(zone) * 60_000
  return `${new Date(shifted).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}

/** @throws IvcapError `invalid-argument` unless `input` is a valid Date or ISO 8601 text. */
export function parseTime(input: unknown, argument: string): Timestamp {
  const parsed = isDate(input)
    ? fromDate(input)
    : typeof input === 'string'
      ? parseTimestamp(input)
      : undefined
  if (parsed !== undefined) return parsed
  throw new IvcapError('invalid-argument', `${argument} is not a Date or an ISO 8601 time: ${show(input)}`, {
    argument,
  })
}

/** Of any realm. */
function isDate(value: unknown): value is Date {
  if (value instanceof Date) return true
  return Object.prototype.toString.call(value) === '[object Date]' && !Number.isNaN(timeOf(value))
}

/** NaN for what only calls itself a Date. */
function timeOf(value: unknown): number {
  try {
    return Number(Reflect.apply(Date.prototype.getTime, value, []))
  } catch {
    return Number.NaN
  }
}

function fromDate(date: Date): Timestamp | undefined {
  return Number.isNaN(date.getTime()) ? undefined : timestamp(date.getTime() * 1000)
}

function offsetMinutes(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0
  const digits = zone.slice(1).replace(':', '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || '0')
  return zone.startsWith('-') ? -minutes : minutes
}
