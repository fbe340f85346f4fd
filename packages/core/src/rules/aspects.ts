import type { AspectRecord } from '../model/records.js'
import { micros, type Timestamp, timestamp } from '../model/time.js'

/**
 * Whether a record is in force: `validFrom <= at < validTo`. Without `at`, a record is in force if it was not closed, whatever
 * the reader's clock says.
 */
export function inForce(record: Pick<AspectRecord, 'validFrom' | 'validTo'>, at?: Timestamp): boolean {
  if (at === undefined) return record.validTo === undefined
  const begun = record.validFrom === undefined || record.validFrom <= at
  return begun && (record.validTo === undefined || at < record.validTo)
}

/**
 * Start time of a record that replaces another one: now, but after the start of the replaced record, and not before the time at
 * which that was closed. So the order holds even if the writers' clocks differ.
 */
export function nextValidFrom(
  now: number,
  { validFrom, closedAt }: { readonly validFrom?: Timestamp; readonly closedAt?: Timestamp } = {},
): Timestamp {
  const begun = validFrom === undefined ? now : micros(validFrom) + 1
  const closed = closedAt === undefined ? now : micros(closedAt)
  return timestamp(Math.max(now, begun, closed))
}

/** End time of a record that is closed now. It is always after its start, so that each record was in force at some time. */
export function closingTime(now: number, validFrom: Timestamp): Timestamp {
  return timestamp(Math.max(now, micros(validFrom) + 1))
}

/** The earlier of two end times; undefined means open. */
export function earlierEnd(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}

/** Matches schemas: exactly, or by a pattern in which `%` matches any characters. */
export function schemaMatcher(pattern: string | undefined): (schema: string) => boolean {
  if (pattern === undefined) return () => true
  if (!pattern.includes('%')) return (schema) => schema === pattern
  const parts = pattern.split('%')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  const middle = parts.slice(1, -1)
  return (schema) => {
    if (!schema.startsWith(first)) return false
    let at = first.length
    for (const part of middle) {
      const found = schema.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return schema.length - last.length >= at && schema.endsWith(last)
  }
}
