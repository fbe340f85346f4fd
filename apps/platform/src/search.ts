import { type Backend, IvcapError } from '@ivcap/core/driver'
import { readText } from './http/body.js'
import type { Handler } from './http/exchange.js'
import { limitOf, timeOf } from './http/parameters.js'
import { sendJson } from './http/reply.js'

/** Bytes. */
const MAX_QUERY = 1_000_000

/** `POST /1/search`: a Datalog query, where the backend can answer one. */
export function searchRoute({ search }: Backend): Handler {
  return async ({ req, res, query, signal }) => {
    if (search === undefined) throw new IvcapError('unsupported', 'This deployment has no search')
    const atTime = timeOf(query)
    const limit = limitOf(query)
    const datalog = await readText(req, MAX_QUERY)
    const items = await search(datalog, { limit, signal, ...(atTime !== undefined && { atTime }) })
    sendJson(res, 200, { items, links: [] })
  }
}
