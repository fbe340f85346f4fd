import {
  type ArtifactRecord,
  type ArtifactStore,
  artifactUrn,
  isIvcapError,
  timestamp,
} from '@ivcap/core/driver'
import { systemClock } from '@ivcap/core/internal'
import * as v from 'valibot'
import { notFound } from '../http/errors.js'
import { type Exchange, type Handler, header, sendJson } from '../http/exchange.js'
import { decodePage, encodePage, flag, limitOf, linksOf, TimeText, text, timeOf } from '../http/parameters.js'
import { uuidOf } from '../ids.js'
import { sendContent } from './content.js'
import { artifactItem, artifactJson, hrefOf, pendingRecord } from './json.js'
import type { TusUploads } from './tus.js'
import { parseUploadRequest } from './upload-request.js'
import type { Uploads } from './uploads.js'

export interface ArtifactRoutes {
  readonly create: Handler
  readonly get: Handler
  readonly list: Handler
  /** GET and HEAD of the bytes; HEAD with `Tus-Resumable` returns the offset of an upload. */
  readonly content: Handler
}

export function artifactRoutes(artifacts: ArtifactStore, uploads: Uploads, tus: TusUploads): ArtifactRoutes {
  return {
    async create({ req, res, origin }) {
      const { metadata, size } = parseUploadRequest(req)
      const uuid = await uploads.begin(metadata, size)
      const record = await recordOf(artifacts, uploads, uuid)
      const headers = { Location: hrefOf(record.id, origin), 'Tus-Resumable': '1.0.0' }
      sendJson(res, 201, artifactJson(record, origin), headers)
    },

    async get({ res, params, origin }) {
      const record = await recordOf(artifacts, uploads, uuidOf(params['id']))
      sendJson(res, 200, artifactJson(record, origin))
    },

    list: (exchange) => sendList(artifacts, exchange),

    async content(exchange) {
      const { req, params } = exchange
      if (req.method === 'HEAD' && header(req, 'tus-resumable') !== undefined) return tus.head(exchange)
      try {
        await sendContent(artifacts, exchange)
      } catch (error) {
        if (!isIvcapError(error, 'not-found')) throw error
        const uuid = uuidOf(params['id'])
        if (uploads.find(uuid) === undefined) throw error
        const id = artifactUrn(uuid)
        throw notFound(
          id,
          `The upload of ${id} is not complete yet: request its content when its status is ready`,
        )
      }
    },
  }
}

async function recordOf(artifacts: ArtifactStore, uploads: Uploads, uuid: string): Promise<ArtifactRecord> {
  const id = artifactUrn(uuid)
  const pending = uploads.find(uuid)
  // a complete upload may be stored already although its files still exist
  if (pending !== undefined && pending.offset !== pending.size) return pendingRecord(uuid, pending)
  try {
    return await artifacts.stat(id, {})
  } catch (error) {
    if (pending === undefined || !isIvcapError(error, 'not-found')) throw error
    return pendingRecord(uuid, pending)
  }
}

const Listing = v.object({
  filter: v.exactOptional(v.string()),
  orderBy: v.exactOptional(v.string()),
  orderDesc: v.boolean(),
  atTime: v.exactOptional(TimeText),
  cursor: v.exactOptional(v.string()),
})
type Listing = v.InferOutput<typeof Listing>

async function sendList(artifacts: ArtifactStore, { res, query, origin, signal }: Exchange): Promise<void> {
  const limit = limitOf(query)
  const listing = decodePage(query, Listing) ?? listingOf(query)
  const { items, cursor } = await artifacts.list({ ...listing, limit }, { signal })
  const next = cursor === undefined ? undefined : encodePage({ ...listing, cursor })
  sendJson(res, 200, {
    items: items.map((item) => artifactItem(item, origin)),
    links: linksOf(`${origin}/1/artifacts`, next),
    'at-time': listing.atTime ?? timestamp(systemClock()),
  })
}

function listingOf(query: URLSearchParams): Listing {
  const filter = text(query, 'filter')
  const orderBy = text(query, 'order-by')
  const atTime = timeOf(query)
  return {
    orderDesc: flag(query, 'order-desc', true),
    ...(filter !== undefined && { filter }),
    ...(orderBy !== undefined && { orderBy }),
    ...(atTime !== undefined && { atTime }),
  }
}
