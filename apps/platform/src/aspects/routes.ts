import { type AspectStore, type Backend, IvcapError, timestamp } from '@ivcap/core/driver'
import { nextTurn, parsePolicy, parseUri, systemClock } from '@ivcap/core/internal'
import * as v from 'valibot'
import { readJsonObject, readText } from '../http/body.js'
import {
  type Exchange,
  type Handler,
  sendEmpty,
  sendJson,
  sendJsonText,
  withMember,
} from '../http/exchange.js'
import {
  decodePage,
  directionOf,
  encodePage,
  flag,
  limitOf,
  linksOf,
  TimeText,
  text,
  timeOf,
} from '../http/parameters.js'
import { aspectIdOf } from '../ids.js'
import { aspectText, itemText } from './json.js'

/** Bytes of an aspect's JSON. */
const MAX_ASPECT = 10_000_000
/** Bytes of a Datalog query. */
const MAX_QUERY = 1_000_000
/** After an item with more characters than this, the listing yields to other requests. */
const LARGE = 128 * 1024

export interface AspectRoutes {
  readonly add: Handler
  readonly replace: Handler
  readonly get: Handler
  readonly list: Handler
  readonly retract: Handler
}

export function aspectRoutes(aspects: AspectStore): AspectRoutes {
  return {
    add: (exchange) => assertAspect(aspects, 'add', exchange),
    replace: (exchange) => assertAspect(aspects, 'replace', exchange),

    async get({ res, params, origin, signal }) {
      const record = await aspects.get(aspectIdOf(params['id']), { signal })
      sendJsonText(res, 200, aspectText(record, origin))
    },

    list: (exchange) => sendList(aspects, exchange),

    // without the signal: completes even if the client disconnects
    async retract({ res, params }) {
      await aspects.retract(aspectIdOf(params['id']), {})
      sendEmpty(res, 204)
    },
  }
}

async function assertAspect(
  aspects: AspectStore,
  mode: 'add' | 'replace',
  { req, res, query }: Exchange,
): Promise<void> {
  const entity = parseUri(query.get('entity'), 'entity')
  const schema = parseUri(query.get('schema'), 'schema')
  const policy = text(query, 'policy')
  const content = await readJsonObject(req, MAX_ASPECT)
  // in place, because a copy of a large object is slow; the parameters take precedence over the body
  if (Object.hasOwn(content, '$entity')) delete content['$entity']
  content['$schema'] = schema
  const { id } = await aspects.assert(
    {
      entity,
      schema,
      content,
      ...(policy !== undefined && { policy: parsePolicy(policy, 'policy') }),
    },
    mode,
    {},
  )
  sendJson(res, 200, { id })
}

const Listing = v.object({
  entity: v.exactOptional(v.string()),
  schema: v.exactOptional(v.string()),
  contentPath: v.exactOptional(v.string()),
  filter: v.exactOptional(v.string()),
  atTime: v.exactOptional(TimeText),
  orderBy: v.string(),
  orderDirection: v.picklist(['ASC', 'DESC']),
  includeContent: v.boolean(),
  cursor: v.exactOptional(v.string()),
})
type Listing = v.InferOutput<typeof Listing>

async function sendList(aspects: AspectStore, { res, query, origin, signal }: Exchange): Promise<void> {
  const limit = limitOf(query)
  const listing = decodePage(query, Listing) ?? listingOf(query)
  const { items, cursor } = await aspects.list({ ...listing, limit }, { signal })
  const next = cursor === undefined ? undefined : encodePage({ ...listing, cursor })
  const texts: string[] = []
  for (const item of items) {
    const text = itemText(item)
    texts.push(text)
    if (text.length > LARGE) await nextTurn()
  }
  const rest = {
    links: linksOf(`${origin}/1/aspects`, next),
    entity: listing.entity,
    schema: listing.schema,
    'at-time': listing.atTime ?? timestamp(systemClock()),
  }
  sendJsonText(res, 200, withMember(rest, 'items', `[${texts.join()}]`))
}

function listingOf(query: URLSearchParams): Listing {
  const entity = text(query, 'entity')
  const schema = text(query, 'schema')
  const contentPath = text(query, 'content-path')
  const filter = text(query, 'filter')
  const atTime = timeOf(query)
  return {
    orderBy: text(query, 'order-by') ?? 'valid_from',
    orderDirection: directionOf(query),
    includeContent: flag(query, 'include-content', false),
    ...(entity !== undefined && { entity }),
    ...(schema !== undefined && { schema }),
    ...(contentPath !== undefined && { contentPath }),
    ...(filter !== undefined && { filter }),
    ...(atTime !== undefined && { atTime }),
  }
}

/** `POST /1/search`: a Datalog query. Fails with `unsupported` if the backend has no search. */
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
