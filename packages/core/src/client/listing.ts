import { omitUndefined } from '../model/omit-undefined.js'
import type { OptionNames } from '../model/options.js'
import type { TimeInput } from '../model/time.js'
import type { OpOptions, Page, ServiceQuery } from '../ports/index.js'
import { PageProgress } from '../query/page-progress.js'
import { checkLimit, checkText, ifGiven, parseAtTime } from './arguments.js'
import type { Context } from './context.js'
import { inspectable } from './inspect.js'
import { CALL_OPTIONS, type CallOptions, perform } from './operation.js'

/** Maximum number of items that a deployment returns in one page. */
export const PAGE_SIZE = 50

/**
 * The result of a list call. Iterate over it (`for await`), or get all items or single pages. Nothing is fetched before the first
 * item is requested. Each iteration starts again from the beginning.
 */
export interface Listing<T> extends AsyncIterable<T> {
  /** Returns all items up to `limit` (10 by default) in one array. `truncated` tells whether there are more. */
  toArray(): Promise<T[]>
  /** Yields the pages as they are fetched, up to `limit` items in all. */
  pages(): AsyncIterable<readonly T[]>
  /** Whether the last completed iteration stopped at the limit while there were more items. Undefined before that. */
  readonly truncated: boolean | undefined
}

/** Options of the listings of artifacts, services and jobs. */
export interface ListOptions extends CallOptions {
  /** Maximum number of items; Infinity for all. @default 10 */
  readonly limit?: number | undefined
  /** Filter expression, e.g. `name ~= 'Fire%'`. */
  readonly filter?: string | undefined
  /** A field, e.g. `name`. */
  readonly orderBy?: string | undefined
  readonly orderDesc?: boolean | undefined
  /** Lists the items that existed at this time. @default now */
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

/** A call whose failures are collected by the enclosing call. */
type NestedCall = CallOptions & Pick<OpOptions, 'failures'>

/**
 * A listing with `ListOptions`. Checks the arguments now. Fetches nothing before the first item is requested.
 *
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
 * A listing whose errors and events name `operation`. The timeout bounds each page of an iteration, and the whole `toArray()`.
 *
 * @param limit maximum number of items; Infinity for all
 */
export function listingOf<R, T>(
  context: Context,
  operation: string,
  o: NestedCall & { readonly limit: number },
  fetchPage: (page: Paged, op: OpOptions) => Promise<Page<R>>,
  wrap: (record: R) => T,
): Listing<T> {
  return listingOfPages(context, operation, o, async function* (run) {
    // the page size must not change: a server may compute the offset of a page from it
    const pageSize = Math.min(PAGE_SIZE, o.limit)
    for await (const { items, more } of pagesFrom(pageSize, (page) => run((op) => fetchPage(page, op))))
      yield { items: items.map(wrap), more }
  })
}

/** Items of a listing, and whether more may follow them. */
export interface Slice<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** Yields all pages until the last one. */
export async function* pagesFrom<R>(
  pageSize: number,
  fetchPage: (page: Paged) => Promise<Page<R>>,
): AsyncGenerator<Slice<R>> {
  const progress = new PageProgress()
  let cursor: string | undefined
  for (;;) {
    const page = await fetchPage({ limit: pageSize, ...(cursor !== undefined && { cursor }) })
    yield { items: page.items, more: page.cursor !== undefined }
    if (page.cursor === undefined) return
    progress.check(page.cursor, page.items)
    cursor = page.cursor
  }
}

/** Runs one step of a listing and passes the options to it. */
export type RunStep = <R>(step: (op: OpOptions) => Promise<R>) => Promise<R>

/** As `listingOf`, for pages that need several calls. @param pagesOf starts a new iteration; the listing ends it at the limit */
export function listingOfPages<T>(
  context: Context,
  operation: string,
  { limit, signal, timeout, failures }: NestedCall & { readonly limit: number },
  pagesOf: (run: RunStep) => AsyncIterable<Slice<T>>,
): Listing<T> {
  let truncated: boolean | undefined

  async function* upToLimit(call: NestedCall): AsyncGenerator<readonly T[]> {
    let left = limit
    if (left > 0) {
      for await (const page of pagesOf((step) => perform(context, operation, call, step))) {
        const items = page.items.slice(0, left)
        left -= items.length
        const isLast = left === 0 || !page.more
        if (isLast) truncated = page.more || items.length < page.items.length
        if (items.length > 0) yield items
        if (isLast) return
      }
    }
    truncated = false
  }
  const own: NestedCall = omitUndefined({ signal, timeout, failures })
  const listing: Listing<T> = {
    get truncated() {
      return truncated
    },
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
