import type { Timestamp } from '@ivcap/core/driver'
import { parseTime } from '@ivcap/core/internal'
import * as v from 'valibot'
import { badRequest } from './errors.js'

const MAX_LIMIT = 50
const DEFAULT_LIMIT = 10

/** The parameter's text; an empty one is as good as none: IVCAP's Python client sends `filter=`. */
export function text(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined
}

/** Items per page: 1–50, 10 if not given. */
export function limitOf(query: URLSearchParams): number {
  const given = text(query, 'limit')
  if (given === undefined) return DEFAULT_LIMIT
  const limit = Number(given)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit
  throw badRequest('limit', `limit must be a whole number from 1 to ${MAX_LIMIT}`)
}

export function flag(query: URLSearchParams, name: string, absent: boolean): boolean {
  const given = text(query, name)?.toLowerCase()
  if (given === undefined) return absent
  if (given === 'true' || given === '1') return true
  if (given === 'false' || given === '0') return false
  throw badRequest(name, `${name} must be true or false`)
}

export function directionOf(query: URLSearchParams): 'ASC' | 'DESC' {
  const given = (text(query, 'order-direction') ?? 'DESC').toUpperCase()
  if (given === 'ASC' || given === 'DESC') return given
  throw badRequest('order-direction', 'order-direction must be ASC or DESC')
}

export function timeOf(query: URLSearchParams): Timestamp | undefined {
  const given = text(query, 'at-time')
  return given === undefined ? undefined : parseTime(given, 'at-time')
}

/** A time in a page token, which clients may have changed. */
export const TimeText = v.pipe(
  v.string(),
  v.check((given) => {
    try {
      return parseTime(given, 'at-time') === given
    } catch {
      return false
    }
  }, 'not a time'),
)
