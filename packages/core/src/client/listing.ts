import { omitUndefined } from '../model/omit-undefined.js'
import type { OptionNames } from '../model/options.js'
import type { TimeInput } from '../model/time.js'
import type { OpOptions, Page, ServiceQuery } from '../ports/index.js'
import { PageProgress } from '../query/page-progress.js'
import { checkLimit, checkText, ifGiven, parseAtTime } from './arguments.js'
import type { Context } from './context.js'
import { inspectable } from './inspect.js'
import { CALL_OPTIONS, type CallOptions, perform } from './operation.js'

/** The most that a deployment returns in one page. */
export const PAGE_SIZE = 50

/**
 * The result of a list call: iterate it (`for await`), take it whole, or page by page. Nothing is fetched before the first
 * item is requested; each iteration starts anew.
 */
export interface Listing<T> extends AsyncIterable<T> {
  /** All items, up to the limit, in one array. */
  toArray(): Promise<T[]>
  /** The pages as they are fetched, up to the limit in all. */
  pages(): AsyncIterable<readonly T[]>
}

/** Options of the listings of artifacts, services and jobs. */
export interface ListOptions extends CallOptions {
  /** Items in all; Infinity for all. @default 10 */
  readonly limit?: number | undefined
  /** e.g. `name ~= 'Fire%'`. */
  readonly filter?: string | undefined
  /** A field, e.g. `name`. */
  readonly orderBy?: string | undefined
  readonly orderDesc?: boolean | undefined
  /** List what was there at this time. @default now */
  readonly atTime?: TimeInput | undefined
}

export const LIST_OPTIONS: OptionNames<ListOptions> = {
  limit: true,
  filter: true,
  orderBy: true,
  orderDesc: true,
  atTime: true,
  ...CALL_OPTIONS,
}

type Paged = { readonly limit: number; readonly cursor?: string }

/** A call whose failures are collected by the call around it. */
type NestedCall = CallOptions & Pick<OpOptions, 'failures'>

/**
 * A listing by `ListOptions`. Arguments are checked now; nothing is fetched before the first item is requested.
 *
 * @param descending the default of `orderDesc`
 * @throws IvcapError `invalid-argument`
 */
export function listRecordsBy<R, T>(
  context: Context,
  operation: string,
  { limit, filter, orderBy, orderDesc = true, atTime, ...call }: ListOptions,
  fetchPage: (query: ServiceQuery, op: OpOptions) => Promise<Page<R>>,
  wrap: (record: R) => T,
): Listing<T> {
  const query = omitUndefined({
    filter: ifGiven(filter, 'filter', checkText),
    orderBy: ifGiven(orderBy, 'orderBy', checkText),
    orderDesc,
    atTime: parseAtTime(atTime),
  })
  const all = { ...call, limit: checkLimit(limit ?? 10) }
  return listingOf(context, operation, all, (page, op) => fetchPage({ ...query, ...page }, op), wrap)
}

/**
 * A listing whose calls are named `operation`. The timeout bounds each page of an iteration, and the whole of `toArray()`.
 *
 * @param limit items in all; Infinity for all of them
 */
export function listingOf<R, T>(
  context: Context,
  operation: string,
  o: NestedCall & { readonly limit: number },
  fetchPage: (page: Paged, op: OpOptions) => Promise<Page<R>>,
  wrap: (record: R) => T,
): Listing<T> {
  return listingOfPages(context, operation, o, async function* (run) {
    // the same page size throughout: a server may count its pages by it
    const pageSize = Math.min(PAGE_SIZE, o.limit)
    for await (const items of itemsOfPages(pageSize, (page) => run((op) => fetchPage(page, op))))
      yield items.map(wrap)
  })
}

/** The items of each page, until the last one. */
export async function* itemsOfPages<R>(
  pageSize: number,
  fetchPage: (page: Paged) => Promise<Page<R>>,
): AsyncGenerator<readonly R[]> {
  const progress = new PageProgress()
  let cursor: string | undefined
  for (;;) {
    const page = await fetchPage({ limit: pageSize, ...(cursor !== undefined && { cursor }) })
    yield page.items
    if (page.cursor === undefined) return
    progress.check(page.cursor, page.items)
    cursor = page.cursor
  }
}

/** Runs one step of a listing, whose options it gives. */
export type RunStep = <R>(step: (op: OpOptions) => Promise<R>) => Promise<R>

/** As `listingOf`, of pages that are made by several calls. @param pagesOf begins anew; the listing ends it at the limit */
export function listingOfPages<T>(
  context: Context,
  operation: string,
  { limit, signal, timeout, failures }: NestedCall & { readonly limit: number },
  pagesOf: (run: RunStep) => AsyncIterable<readonly T[]>,
): Listing<T> {
  async function* upToLimit(call: NestedCall): AsyncGenerator<readonly T[]> {
    if (limit <= 0) return
    let left = limit
    for await (const page of pagesOf((step) => perform(context, operation, call, step))) {
      const items = page.slice(0, left)
      left -= items.length
      if (items.length > 0) yield items
      if (left <= 0) return
    }
  }
  const own: NestedCall = omitUndefined({ signal, timeout, failures })
  const listing: Listing<T> = {
    async *[Symbol.asyncIterator]() {
      for await (const page of upToLimit(own)) yield* page
    },
    pages: () => upToLimit(own),
    toArray: () =>
      perform(context, operation, own, async ({ signal, failures }) => {
        const all: T[] = []
        const unlimited = omitUndefined({ signal, failures, timeout: Number.POSITIVE_INFINITY })
        for await (const page of upToLimit(unlimited)) all.push(...page)
        return all
      }),
  }
  inspectable(listing, () => ({ kind: 'Listing', fields: { of: operation, limit } }))
  return listing
}
