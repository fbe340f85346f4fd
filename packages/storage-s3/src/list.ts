import { DeleteObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3'
import { type BlobInfo, type BlobPage, type BlobStore, IvcapError, type OpOptions } from '@ivcap/core/driver'
import { ListProgress } from '@ivcap/core/internal'
import { ask } from './ask.js'
import { infoOf } from './info.js'
import { fullKey, type Place } from './place.js'

/** What a server lists at a time, at the most. */
const MOST = 1000

/**
 * See `BlobStore.list`. A page may be empty and not the last one, after keys that were deleted: its token leads on. A token is
 * followed within one call; the next call begins after the last key.
 */
export async function list(
  place: Place,
  { prefix, startAfter, limit }: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage> {
  const items: BlobInfo[] = []
  const subject = { doing: `list blobs below ${JSON.stringify(prefix)}`, action: 's3:ListBucket' }
  const after = startAfter === undefined ? undefined : `${place.prefix}${startAfter}`
  const progress = new ListProgress(place.server, place.uri, after)
  let from: Pick<ListObjectsV2CommandInput, 'StartAfter' | 'ContinuationToken'> = { StartAfter: after }
  for (;;) {
    const request = {
      Bucket: place.bucket,
      Prefix: `${place.prefix}${prefix}`,
      MaxKeys: Math.min(limit - items.length, MOST),
      ...from,
    }
    const page = await ask(place, subject, (s3, a) => s3.send(new ListObjectsV2Command(request), a), o)
    // what isn't XML of a list is read as one without members
    if (page.IsTruncated === undefined) throw noList(place)
    for (const { Key = '', Size, ETag } of page.Contents ?? []) {
      progress.key(Key)
      if (items.length === limit) return { items, more: true }
      items.push(infoOf(place, Key.slice(place.prefix.length), Size, ETag))
    }
    const more = page.IsTruncated
    if (!more || items.length >= limit) return { items, more }
    const last = page.Contents?.at(-1)?.Key
    const { NextContinuationToken: token } = page
    // not every server gives a token with keys
    if (token === undefined && last !== undefined) from = { StartAfter: last }
    else from = { ContinuationToken: progress.next(token) }
  }
}

function noList({ server, uri }: Place): IvcapError {
  const message = `${server} does not answer as S3 does (${uri}): check the endpoint`
  return new IvcapError('protocol', message, { resource: uri })
}

/** See `BlobStore.delete`. S3 itself doesn't mind what isn't there. */
export async function remove(place: Place, key: string, o: OpOptions): Promise<void> {
  const request = { Bucket: place.bucket, Key: fullKey(place, key) }
  const subject = { doing: 'delete', key, action: 's3:DeleteObject' }
  await ask(place, subject, (s3, a) => s3.send(new DeleteObjectCommand(request), a), o)
}
