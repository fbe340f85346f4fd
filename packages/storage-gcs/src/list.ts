import {
  type BlobInfo,
  type BlobPage,
  type BlobStore,
  isIvcapError,
  isJsonObject,
  type JsonObject,
  type OpOptions,
} from '@ivcap/core/driver'
import { ListProgress } from '@ivcap/core/internal'
import { ask, ignore, jsonOf } from './ask.js'
import { infoOf, noBucket, orNoBucket } from './info.js'
import { blobUrl, type Place } from './place.js'

/** What the server lists at a time, at the most. */
const MOST = 1000

/** See `BlobStore.list`. */
export async function list(
  place: Place,
  { prefix, startAfter, limit }: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage> {
  const items: BlobInfo[] = []
  // the server's list begins with it, if it is there
  const extra = startAfter === undefined ? 0 : 1
  const progress = new ListProgress(place.server, place.uri)
  let pageToken: string | undefined
  for (;;) {
    const page = await pageOf(
      place,
      {
        prefix: `${place.prefix}${prefix}`,
        startOffset: startAfter === undefined ? undefined : `${place.prefix}${startAfter}`,
        maxResults: `${Math.min(limit - items.length + extra, MOST)}`,
        pageToken,
        fields: 'items(name,size,generation),nextPageToken',
      },
      o,
    )
    for (const item of itemsOf(page)) {
      const name = String(item['name'])
      progress.key(name)
      const key = name.slice(place.prefix.length)
      if (startAfter !== undefined && key <= startAfter) continue
      if (items.length === limit) return { items, more: true }
      items.push(infoOf(place, key, item['size'], item['generation']))
    }
    const { nextPageToken: next } = page
    if (typeof next !== 'string' || next === '') return { items, more: false }
    if (items.length === limit) return { items, more: true }
    pageToken = progress.next(next)
  }
}

async function pageOf(
  place: Place,
  query: Readonly<Record<string, string | undefined>>,
  o: OpOptions,
): Promise<JsonObject> {
  const subject = {
    doing: `list blobs below ${JSON.stringify(query['prefix'])}`,
    action: 'storage.objects.list',
  }
  try {
    const url = blobUrl(place, undefined, query)
    return await ask(place, subject, { method: 'GET', url, read: jsonOf }, o)
  } catch (error) {
    throw isIvcapError(error, 'not-found') ? noBucket(place) : error
  }
}

const itemsOf = ({ items }: JsonObject): readonly JsonObject[] =>
  Array.isArray(items) ? items.filter(isJsonObject) : []

/** See `BlobStore.delete`. */
export async function remove(place: Place, key: string, o: OpOptions): Promise<void> {
  const question = { method: 'DELETE', url: blobUrl(place, key, {}), read: ignore } as const
  try {
    await orNoBucket(
      place,
      o,
      ask(place, { doing: 'delete', key, action: 'storage.objects.delete' }, question, o),
    )
  } catch (error) {
    if (!isIvcapError(error, 'not-found')) throw error
  }
}
