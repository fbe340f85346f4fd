import { IvcapError } from './errors.js'
import { show } from './urn.js'

/**
 * UTC with six fractional digits: `2026-01-31T09:30:00.123456Z`. Timestamps are compared as strings. A `Date` has only
 * milliseconds, and would lose the microseconds that IVCAP and its Python client write.
 */
export type Timestamp = string

/** A time from a caller: a Date, an ISO 8601 string (UTC if it has no zone), a `Temporal.Instant` or a `ZonedDateTime`. */
export type TimeInput = Date | string | { readonly epochNanoseconds: bigint }

/** Returns the time in microseconds since 1970. Injectable, so that tests can skew it. */
export type Clock = () => number

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/

/**
 * The wall clock. It never returns the same microsecond twice in this process, so the order of writes is kept although the system
 * clock has a resolution of milliseconds. If the system clock is set back, the time continues to grow by microseconds until the
 * system clock has caught up.
 */
export const systemClock: Clock = (() => {
  let last = 0
  return () => {
    last = Math.max(Date.now() * 1000, last + 1)
    return last
  }
})()

/** Milliseconds since 1970 of the first and the last moment with a four-digit year. */
const EARLIEST = Date.parse('0000-01-01T00:00:00.000Z')
const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

const NANOS_OF_MS = 1_000_000n

/** Converts microseconds since 1970. A time outside the years 0 to 9999 becomes the nearest time inside. */
export function timestamp(micros: number): Timestamp {
  if (!(micros >= EARLIEST * 1000)) return timestampOfMs(EARLIEST, '000')
  if (micros >= (LATEST + 1) * 1000) return timestampOfMs(LATEST, '999')
  const ms = Math.floor(micros / 1000)
  const rest = String(micros - ms * 1000).padStart(3, '0')
  return timestampOfMs(ms, rest)
}

const timestampOfMs = (ms: number, rest: string): Timestamp =>
  `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`

/** Microseconds since 1970. Exact until the year 2255. */
export function micros(time: Timestamp): number {
  return Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26))
}

/** A timestamp that needs no conversion. Days up to the 28th exist in every month. */
const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/

/**
 * Parses an ISO 8601 text. Resolves offsets, keeps microseconds and truncates finer digits. Returns undefined for any other text,
 * and for a time that its offset moves out of the years 0 to 9999.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  if (CANONICAL.test(text)) return text
  const m = ISO.exec(text.trim())
  if (m === null) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = m
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`)
  // Date.parse turns February 30 into March 2, so a date is invalid if its ISO text differs
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(`${year}-${month}-${day}`)) return undefined
  const offset = offsetMinutes(zone)
  if (offset === undefined) return undefined
  const shifted = ms - offset * 60_000
  if (shifted < EARLIEST || shifted > LATEST) return undefined
  return `${new Date(shifted).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}

/** @throws IvcapError `invalid-argument` unless `input` is a valid Date, ISO 8601 text or Temporal value */
export function parseTime(input: unknown, argument: string): Timestamp {
  const parsed = typeof input === 'string' ? parseTimestamp(input) : (fromDate(input) ?? fromInstant(input))
  if (parsed !== undefined) return parsed
  throw new IvcapError('invalid-argument', `${argument} is not a Date or an ISO 8601 time: ${show(input)}`, {
    argument,
  })
}

/** Converts a Date, also of another realm; undefined for an invalid Date and any other value. */
function fromDate(date: unknown): Timestamp | undefined {
  try {
    // throws if the value is not a Date
    const ms: number = Date.prototype.getTime.call(date)
    return ms >= EARLIEST && ms <= LATEST ? timestamp(ms * 1000) : undefined
  } catch {
    return undefined
  }
}

/** Converts a Temporal value, truncated to microseconds; undefined for any other value. */
function fromInstant(instant: unknown): Timestamp | undefined {
  if (typeof instant !== 'object' || instant === null || !('epochNanoseconds' in instant)) return undefined
  const { epochNanoseconds } = instant
  if (typeof epochNanoseconds !== 'bigint') return undefined
  const remainder = epochNanoseconds % NANOS_OF_MS
  const nanos = remainder < 0n ? remainder + NANOS_OF_MS : remainder
  const ms = Number((epochNanoseconds - nanos) / NANOS_OF_MS)
  if (ms < EARLIEST || ms > LATEST) return undefined
  return timestampOfMs(ms, String(nanos / 1000n).padStart(3, '0'))
}

/** Undefined if the offset has 24 hours or more, or 60 minutes or more. */
function offsetMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0
  const digits = zone.slice(1).replace(':', '')
  const hours = Number(digits.slice(0, 2))
  const rest = Number(digits.slice(2) || '0')
  if (hours > 23 || rest > 59) return undefined
  const minutes = hours * 60 + rest
  return zone.startsWith('-') ? -minutes : minutes
}
