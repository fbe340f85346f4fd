import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { Page } from '../ports/index.js'
import { PageProgress } from '../query/page-progress.js'

/** The most that a deployment hands out in one page. */
const PAGE_SIZE = 50

/**
 * What a list call returns: iterate it (`for await`), take it whole, or page by page. Nothing is fetched before the first
 * item is asked for; each iteration starts anew.
 */
export interface Listing<T> extends AsyncIterable<T> {
  /** All items, up to the limit, in one array. */
  toArray(): Promise<T[]>
  /** The pages as they are fetched, up to the limit in all. */
  pages(): AsyncIterable<readonly T[]>
}

/** `limit`: items in all; Infinity for all of them. */
export function listing<R, T>(
  limit: number,
  fetchPage: (o: { limit: number; cursor?: string }) => Promise<Page<R>>,
  wrap: (record: R) => T,
): Listing<T> {
  async function* pages(): AsyncGenerator<readonly T[]> {
    // the same page size throughout: a server may count its pages by it
    const pageSize = Math.min(PAGE_SIZE, limit)
    let left = limit
    let cursor: string | undefined
    const progress = new PageProgress()
    while (left > 0) {
      const page = await fetchPage({ limit: pageSize, ...(cursor !== undefined && { cursor }) })
      const items = page.items.slice(0, left)
      left -= items.length
      if (items.length > 0) yield items.map(wrap)
      if (page.cursor === undefined) return
      progress.check(page.cursor, page.items)
      cursor = page.cursor
    }
  }
  async function* items(): AsyncGenerator<T> {
    for await (const page of pages()) yield* page
  }
  return {
    [Symbol.asyncIterator]: items,
    pages,
    toArray: async () => {
      const all: T[] = []
      for await (const page of pages()) all.push(...page)
      return all
    },
  }
}

/** @throws IvcapError `invalid-argument` unless `limit` is a whole number from 0, or Infinity */
export function checkLimit(limit: unknown): number {
  if (limit === Number.POSITIVE_INFINITY) return limit
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0) return limit
  const message = `limit must be a whole number from 0, or Infinity for all, not ${show(limit)}`
  throw new IvcapError('invalid-argument', message, { argument: 'limit' })
}
