import { IvcapError, isJsonObject, type Page } from '@ivcap/core/driver'
import { decodeCursor, encodeCursor } from '@ivcap/core/internal'
import * as v from 'valibot'
import { PageJson, problemOf } from '../decode.js'
import type { Http, HttpRequest, Retries } from './client.js'
import type { Query } from './deployment.js'
import { type ErrorContext, protocolFailure } from './failure.js'

/** Returns the query of a page: that of the listing for the first page, only `page` and `limit` for the following ones. */
export function pageQuery(query: Query, limit: number, cursor: string | undefined): Query {
  if (cursor === undefined) return { limit, ...query }
  const [page] = decodeCursor(query, cursor).after
  return { limit, page: String(page) }
}

/**
 * Fetches a page and validates each item. An invalid item is left out, and reported by a `left-out` event: one bad record must
 * not make a list unreadable.
 */
export async function fetchItems<S extends v.GenericSchema>(
  http: Http,
  request: HttpRequest,
  schema: S,
  retries?: Retries,
): Promise<{ readonly items: readonly v.InferOutput<S>[]; readonly links: unknown }> {
  const page = await http.request(request, PageJson, retries)
  const items: v.InferOutput<S>[] = []
  for (const item of page.items ?? []) {
    const parsed = v.safeParse(schema, item)
    if (parsed.success) items.push(parsed.output)
    else http.emit(leftOut(item, problemOf(parsed.issues), request, http), request)
  }
  return { items, links: page.links }
}

function leftOut(item: unknown, problem: string, context: ErrorContext, { redact }: Http) {
  const id =
    isJsonObject(item) && typeof item['id'] === 'string' ? redact(item['id']).slice(0, 200) : undefined
  const resource = id ?? context.resource ?? `${context.url.origin}${context.url.pathname}`
  const message = `a list leaves out ${id ?? 'an item without id'}: the deployment sent it in another form (${redact(problem)})`
  const error = new IvcapError('protocol', message, { resource, retryable: false })
  return { kind: 'left-out', message, resource, error } as const
}

/** Returns a page whose cursor is valid only for this query. */
export function pageWith<T>(
  items: readonly T[],
  links: unknown,
  query: Query,
  cursor: string | undefined,
  context: ErrorContext,
): Page<T> {
  const next = nextPage(links)
  if (next === undefined) return { items }
  const following = encodeCursor(query, { atTime: '', after: [next] })
  // a client that followed it would never reach the end
  if (following === cursor) throw protocolFailure(context, 'a next link to this very page')
  return { items, cursor: following }
}

/** The `page` parameter of the `next` link, at any position in its query, decoded once. */
export function nextPage(links: unknown): string | undefined {
  const href = nextHref(links)
  const query = href?.split('#', 1)[0]?.split('?').slice(1).join('?')
  for (const pair of query?.split('&') ?? []) {
    if (!pair.startsWith('page=') || pair === 'page=') continue
    return decoded(pair.slice('page='.length))
  }
  return undefined
}

/** Links are a list of `{ rel, href }`. Some deployments send an object by rel, or null. */
function nextHref(links: unknown): string | undefined {
  const link = Array.isArray(links)
    ? links.find((l) => isJsonObject(l) && l['rel'] === 'next')
    : isJsonObject(links)
      ? links['next']
      : undefined
  const href = isJsonObject(link) ? link['href'] : link
  return typeof href === 'string' ? href : undefined
}

/** Not decoded as a form: in a page token `+` is a plus. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
