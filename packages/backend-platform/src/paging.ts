import { IvcapError, isJsonObject, type Page } from '@ivcap/core/driver'
import { decodeCursor, encodeCursor } from '@ivcap/core/internal'
import * as v from 'valibot'
import { PageJson, problemOf } from './decode.js'
import { type Asked, protocolFailure } from './failure.js'
import type { Http, HttpRequest, Retries } from './http.js'
import type { Query } from './urls.js'

/** The query of a page: the listing's own for the first one, `page` and `limit` alone for those that follow. */
export function pageQuery(query: Query, limit: number, cursor: string | undefined): Query {
  if (cursor === undefined) return { limit, ...query }
  const [page] = decodeCursor(query, cursor).after
  return { limit, page: String(page) }
}

/**
 * A page of items, each checked by itself: one that is not valid is left out and told by an event, as one bad record must not
 * make a list unreadable.
 */
export async function fetchItems<S extends v.GenericSchema>(
  http: Http,
  request: HttpRequest,
  schema: S,
  retries?: Retries,
): Promise<{ readonly items: readonly v.InferOutput<S>[]; readonly links: unknown }> {
  const page = await http.ask(request, PageJson, retries)
  const items: v.InferOutput<S>[] = []
  for (const item of page.items ?? []) {
    const parsed = v.safeParse(schema, item)
    if (parsed.success) items.push(parsed.output)
    else http.tell(leftOut(item, problemOf(parsed.issues), request, http), request)
  }
  return { items, links: page.links }
}

function leftOut(item: unknown, problem: string, asked: Asked, { redact }: Http) {
  const id =
    isJsonObject(item) && typeof item['id'] === 'string' ? redact(item['id']).slice(0, 200) : undefined
  const resource = id ?? asked.resource ?? `${asked.url.origin}${asked.url.pathname}`
  const message = `a list leaves out ${id ?? 'an item without id'}: the deployment sent it in another form (${redact(problem)})`
  const error = new IvcapError('protocol', message, { resource, retryable: false })
  return { kind: 'left-out', message, resource, error } as const
}

/** A page with a cursor that serves this query alone. */
export function pageWith<T>(
  items: readonly T[],
  links: unknown,
  query: Query,
  cursor: string | undefined,
  asked: Asked,
): Page<T> {
  const next = nextPage(links)
  if (next === undefined) return { items }
  const following = encodeCursor(query, { atTime: '', after: [next] })
  // whoever follows it would never come to an end
  if (following === cursor) throw protocolFailure(asked, 'a next link to this very page')
  return { items, cursor: following }
}

/** The `page` parameter of the `next` link, wherever in its query it stands, decoded once. */
export function nextPage(links: unknown): string | undefined {
  const href = nextHref(links)
  const query = href?.split('#', 1)[0]?.split('?').slice(1).join('?')
  for (const pair of query?.split('&') ?? []) {
    if (!pair.startsWith('page=') || pair === 'page=') continue
    return decoded(pair.slice('page='.length))
  }
  return undefined
}

/** Links are a list of `{ rel, href }`; some deployments write an object by rel, or null. */
function nextHref(links: unknown): string | undefined {
  const link = Array.isArray(links)
    ? links.find((l) => isJsonObject(l) && l['rel'] === 'next')
    : isJsonObject(links)
      ? links['next']
      : undefined
  const href = isJsonObject(link) ? link['href'] : link
  return typeof href === 'string' ? href : undefined
}

/** Not as a form: in a token `+` is a plus. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
