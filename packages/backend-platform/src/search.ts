import type { Backend, JsonObject } from '@ivcap/core/driver'
import { PageProgress } from '@ivcap/core/internal'
import { RowJson } from './decode.js'
import type { Http } from './http/client.js'
import { fetchItems, nextPage } from './http/paging.js'

/** Maximum number of rows in a page. */
const PAGE = 50

/** Runs a Datalog query on the Datafabric. Returns up to `limit` rows. */
export function datalogSearch(http: Http): NonNullable<Backend['search']> {
  return async (query, { atTime, limit, ...o }) => {
    const rows: JsonObject[] = []
    let page: string | undefined
    const progress = new PageProgress()
    while (rows.length < limit) {
      const parameters = { 'at-time': atTime, limit: Math.min(limit - rows.length, PAGE), page }
      const { items, links } = await fetchItems(
        http,
        {
          ...o,
          method: 'POST',
          url: http.deployment.api('/1/search', parameters),
          headers: { 'Content-Type': 'application/datalog+mangle' },
          body: query,
        },
        RowJson,
      )
      rows.push(...items)
      const next = nextPage(links)
      if (next === undefined) break
      if (rows.length < limit) progress.check(next, items)
      page = next
    }
    return rows.slice(0, limit)
  }
}
