import { type ServiceQuery, timestamp } from '@ivcap/core/driver'
import { systemClock } from '@ivcap/core/internal'
import * as v from 'valibot'
import { type Exchange, sendJson } from '../http/exchange.js'
import { decodePage, encodePage, flag, limitOf, linksOf, TimeText, text, timeOf } from '../http/parameters.js'

const Listing = v.object({
  filter: v.exactOptional(v.string()),
  orderBy: v.exactOptional(v.string()),
  orderDesc: v.boolean(),
  atTime: v.exactOptional(TimeText),
  cursor: v.exactOptional(v.string()),
})
type Listing = v.InferOutput<typeof Listing>

/** Sends a page of services or jobs. */
export async function sendListing<R>(
  { res, query, origin }: Exchange,
  o: {
    readonly path: string
    readonly orderDesc: boolean
    readonly item: (record: R, origin: string) => object
  },
  list: (q: ServiceQuery) => Promise<{ readonly items: readonly R[]; readonly cursor?: string }>,
): Promise<void> {
  const limit = limitOf(query)
  const listing = decodePage(query, Listing) ?? listingOf(query, o.orderDesc)
  const { items, cursor } = await list({ ...listing, limit })
  const next = cursor === undefined ? undefined : encodePage({ ...listing, cursor })
  sendJson(res, 200, {
    items: items.map((item) => o.item(item, origin)),
    links: linksOf(`${origin}${o.path}`, next),
    'at-time': listing.atTime ?? timestamp(systemClock()),
  })
}

function listingOf(query: URLSearchParams, orderDesc: boolean): Listing {
  const filter = text(query, 'filter')
  const orderBy = text(query, 'order-by')
  const atTime = timeOf(query)
  return {
    orderDesc: flag(query, 'order-desc', orderDesc),
    ...(filter !== undefined && { filter }),
    ...(orderBy !== undefined && { orderBy }),
    ...(atTime !== undefined && { atTime }),
  }
}
