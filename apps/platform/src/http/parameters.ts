import type { Timestamp } from '@ivcap/core/driver'
import { parseJson, parseTime } from '@ivcap/core/internal'
import * as v from 'valibot'
import { badRequest } from './errors.js'

const MAX_LIMIT = 50
const DEFAULT_LIMIT = 10

/** Returns undefined for an absent or empty parameter: IVCAP's Python client sends `filter=`. */
export function text(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined
}

/** Items per page, 1–50. @default 10 */
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

/** A time in a page token. Clients may have changed the token. */
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

/**
 * Encodes a page token: the whole query with the backend's cursor. If a request has `page`, its other parameters are
 * ignored.
 */
export function encodePage(query: object): string {
  return Buffer.from(JSON.stringify(query)).toString('base64url')
}

/** Decodes the parameter `page`. Returns undefined if it is absent. @throws IvcapError if it is damaged */
export function decodePage<S extends v.GenericSchema>(
  query: URLSearchParams,
  schema: S,
): v.InferOutput<S> | undefined {
  const given = text(query, 'page')
  if (given === undefined) return undefined
  // IVCAP's Python client sends the whole link when it retracts a collection
  const token = given.replace(/^.*[?&]page=/, '')
  const parsed = v.safeParse(schema, parseJson(Buffer.from(token, 'base64url').toString()))
  if (parsed.success) return parsed.output
  throw badRequest(
    'page',
    'page is damaged: send the page of the next link unchanged, or start again without it',
  )
}

/**
 * The links `self` and, if there is another page, `next`. The query of `next` is `page` alone and needs no decoding:
 * IVCAP's Python client uses the text after `?page=` unchanged.
 */
export function linksOf(path: string, next: string | undefined): readonly object[] {
  const link = (rel: string, href: string) => ({ rel, type: 'application/json', href })
  return [link('self', path), ...(next === undefined ? [] : [link('next', `?page=${next}`)])]
}
