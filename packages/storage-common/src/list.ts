import {
  type BlobInfo,
  type BlobPage,
  type BlobStore,
  isIvcapError,
  type OpOptions,
} from '@ivcap/core/driver'
import { ListProgress } from '@ivcap/core/internal'
import { type Bucket, blobInfo, fullKey, noBucket, request } from './bucket.js'
import type { BucketDriver, ListQuery, ListResponse } from './driver.js'

/** Maximum number of entries that a server lists at a time. */
const PAGE = 1000

/**
 * See `BlobStore.list`. After deleted keys, a page may be empty without being the last one: its token leads to the next page.
 * Tokens are used only within one call; the next call starts after the last key.
 */
export async function list(
  bucket: Bucket,
  { prefix, startAfter, limit, delimiter }: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage> {
  const items: BlobInfo[] = []
  const prefixes: string[] = []
  const page = (more: boolean): BlobPage => ({ items, ...(delimiter && { prefixes }), more })
  const after = startAfter === undefined ? undefined : `${bucket.prefix}${startAfter}`
  const progress = new ListProgress(bucket.driver.server, bucket.uri, after)
  let last = after
  let from: Pick<ListQuery, 'startAfter' | 'token'> = { startAfter: after }
  for (;;) {
    const count = items.length + prefixes.length
    // servers may list again the folder after which a page starts
    const again = delimiter !== undefined && last !== undefined ? 1 : 0
    const query = {
      prefix: `${bucket.prefix}${prefix}`,
      limit: Math.min(limit - count + again, PAGE),
      delimiter,
      ...from,
    }
    const response = await listPage(bucket, prefix, query, o)
    for (const entry of entriesOf(response)) {
      const name = typeof entry === 'string' ? entry : entry.key
      if (typeof entry === 'string' && last !== undefined && entry <= last) continue
      progress.key(name)
      if (items.length + prefixes.length === limit) return page(true)
      last = name
      const key = name.slice(bucket.prefix.length)
      if (typeof entry === 'string') prefixes.push(key)
      else items.push(blobInfo(bucket, key, entry))
    }
    if (!response.more) return page(false)
    if (items.length + prefixes.length >= limit) return page(true)
    const hasKeys = response.items.length + (response.prefixes?.length ?? 0) > 0
    // not every server returns a token with keys
    if (response.token === undefined && hasKeys) from = { startAfter: last }
    else from = { token: progress.next(response.token) }
  }
}

async function listPage(
  bucket: Bucket,
  prefix: string,
  query: ListQuery,
  o: OpOptions,
): Promise<ListResponse> {
  const operation = `list blobs below ${JSON.stringify(prefix)}`
  try {
    return await request(bucket, { operation, permission: 'list' }, (a) => bucket.driver.list(query, a), o)
  } catch (error) {
    throw isIvcapError(error, 'not-found') ? noBucket(bucket) : error
  }
}

type Entry = ListResponse['items'][number] | string

/** Returns items and prefixes in one order. Without prefixes, items stay in the server's order, which is then checked. */
function entriesOf({ items, prefixes = [] }: ListResponse): readonly Entry[] {
  if (prefixes.length === 0) return items
  const nameOf = (entry: Entry) => (typeof entry === 'string' ? entry : entry.key)
  return [...items, ...prefixes].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** See `BlobStore.delete`. */
export async function remove(bucket: Bucket, key: string, o: OpOptions): Promise<void> {
  const full = fullKey(bucket, key)
  try {
    const context = { operation: 'delete', key, permission: 'delete' } as const
    await request(bucket, context, (a) => bucket.driver.delete(full, a), o)
  } catch (error) {
    if (!isIvcapError(error, 'not-found')) throw error
  }
}

/** See `BlobStore.deleteMany`. */
export async function removeMany(
  bucket: Bucket,
  bulkDelete: NonNullable<BucketDriver['bulkDelete']>,
  keys: readonly string[],
  o: OpOptions,
): Promise<void> {
  const full = keys.map((key) => fullKey(bucket, key))
  for (let at = 0; at < full.length; at += bulkDelete.limit) {
    const batch = full.slice(at, at + bulkDelete.limit)
    const context = { operation: `delete ${batch.length} blobs`, permission: 'delete' } as const
    await request(bucket, context, (a) => bulkDelete.delete(batch, a), o)
  }
}
