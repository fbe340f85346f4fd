import { parseJson } from '@ivcap/core/internal'
import * as v from 'valibot'
import { badRequest } from './errors.js'
import { text } from './parameters.js'

/**
 * A page of a listing names the whole query, and the backend's cursor in it: clients send `page` alone, or with the
 * parameters of the first request, which then don't count.
 */
export function encodePage(query: object): string {
  return Buffer.from(JSON.stringify(query)).toString('base64url')
}

/** The query that `page` stands for; undefined on the first page. @throws IvcapError when it is damaged */
export function pageIn<S extends v.GenericSchema>(
  query: URLSearchParams,
  schema: S,
): v.InferOutput<S> | undefined {
  const given = text(query, 'page')
  if (given === undefined) return undefined
  // IVCAP's Python client sends the whole link where it retracts a collection
  const token = given.replace(/^.*[?&]page=/, '')
  const parsed = v.safeParse(schema, parseJson(Buffer.from(token, 'base64url').toString()))
  if (parsed.success) return parsed.output
  throw badRequest(
    'page',
    'page is damaged: use the one of the next link as it is, or start again without it',
  )
}

/**
 * `self` and, where more follows, `next`. The query of `next` is `page` alone and needs no decoding: IVCAP's Python client
 * takes what stands behind `?page=` as it is.
 */
export function linksOf(path: string, next: string | undefined): readonly object[] {
  const link = (rel: string, href: string) => ({ rel, type: 'application/json', href })
  return [link('self', path), ...(next === undefined ? [] : [link('next', `?page=${next}`)])]
}
