import type { AspectRecord } from '../model/records.js'
import { micros, type Timestamp, timestamp } from '../model/time.js'

/**
 * Whether a record is in force: `validFrom <= at < validTo`. Without a time it is a matter of structure, not of the
 * reader's clock: in force is what nobody has closed.
 */
export function inForce(record: Pick<AspectRecord, 'validFrom' | 'validTo'>, at?: Timestamp): boolean {
  if (at === undefined) return record.validTo === undefined
  const begun = record.validFrom === undefined || record.validFrom <= at
  return begun && (record.validTo === undefined || at < record.validTo)
}

/**
 * When a record that replaces `newest` begins: now, but after what it replaces began and not before that was closed,
 * however far apart the writers' clocks are.
 */
export function nextValidFrom(
  now: number,
  { validFrom, closedAt }: { readonly validFrom?: Timestamp; readonly closedAt?: Timestamp } = {},
): Timestamp {
  const begun = validFrom === undefined ? now : micros(validFrom) + 1
  const closed = closedAt === undefined ? now : micros(closedAt)
  return timestamp(Math.max(now, begun, closed))
}

/** When a record that began at `validFrom` is closed now: never before it began, so that it was never in force at no time. */
export function closingTime(now: number, validFrom: Timestamp): Timestamp {
  return timestamp(Math.max(now, micros(validFrom) + 1))
}

/** The earlier of two ends; absent means open. */
export function earlierEnd(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}

/** Whether a schema fits what a query asks for: the very schema, or a pattern in which `%` stands for any characters. */
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
