import type { Backend, JsonObject } from '@ivcap/core/driver'
import { SearchJson } from './decode.js'
import type { Http } from './http.js'
import { nextPage } from './paging.js'

/** Rows in a page, at the most. */
const PAGE = 50

/** Datalog over the Datafabric: the rows, `limit` of them at the most. */
export function searchOn(http: Http): NonNullable<Backend['search']> {
  return async (query, { atTime, limit, signal }) => {
    const rows: JsonObject[] = []
    let page: string | undefined
    while (rows.length < limit) {
      const parameters = { 'at-time': atTime, limit: Math.min(limit - rows.length, PAGE), page }
      const { items, links } = await http.ask(
        {
          method: 'POST',
          url: http.deployment.api('/1/search', parameters),
          headers: { 'Content-Type': 'application/datalog+mangle' },
          body: query,
          signal,
        },
        SearchJson,
      )
      rows.push(...items)
      const next = nextPage(links)
      if (next === undefined || next === page || items.length === 0) break
      page = next
    }
    return rows.slice(0, limit)
  }
}
