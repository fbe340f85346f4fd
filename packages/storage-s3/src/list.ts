import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { type BlobInfo, type BlobPage, type BlobStore, IvcapError, type OpOptions } from '@ivcap/core/driver'
import { ask } from './ask.js'
import { infoOf } from './info.js'
import { fullKey, type Place } from './place.js'

/** What a server lists at a time, at the most. */
const MOST = 1000

/** See `BlobStore.list`. */
export async function list(
  place: Place,
  { prefix, startAfter, limit }: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage> {
  const items: BlobInfo[] = []
  for (;;) {
    const after = items.at(-1)?.key ?? startAfter
    const request = {
      Bucket: place.bucket,
      Prefix: `${place.prefix}${prefix}`,
      MaxKeys: Math.min(limit - items.length, MOST),
      ...(after !== undefined && { StartAfter: `${place.prefix}${after}` }),
    }
    const subject = { doing: `list blobs below ${JSON.stringify(prefix)}` }
    const page = await ask(place, subject, (s3, a) => s3.send(new ListObjectsV2Command(request), a), o)
    // what isn't XML of a list is read as one without members
    if (page.IsTruncated === undefined) {
      const message = `${place.server} does not answer as S3 does (${place.uri}): check the endpoint`
      throw new IvcapError('protocol', message, { resource: place.uri })
    }
    for (const { Key = '', Size, ETag } of page.Contents ?? []) {
      items.push(infoOf(place, Key.slice(place.prefix.length), Size, ETag))
    }
    const more = page.IsTruncated
    if (!more || items.length >= limit || page.Contents === undefined) return { items, more }
  }
}

/** See `BlobStore.delete`. S3 itself doesn't mind what isn't there. */
export async function remove(place: Place, key: string, o: OpOptions): Promise<void> {
  const request = { Bucket: place.bucket, Key: fullKey(place, key) }
  await ask(place, { doing: 'delete', key }, (s3, a) => s3.send(new DeleteObjectCommand(request), a), o)
}
