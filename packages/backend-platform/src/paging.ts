import { decodeCursor, encodeCursor, isJsonObject, type Page } from '@ivcap/core/driver'
import { type Asked, protocolFailure } from './failure.js'
import type { Query } from './urls.js'

/** The query of a page: the listing's own for the first one, `page` and `limit` alone for those that follow. */
export function pageQuery(query: Query, limit: number, cursor: string | undefined): Query {
  if (cursor === undefined) return { limit, ...query }
  const [page] = decodeCursor(query, cursor).after
  return { limit, page: String(page) }
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
