import { HeadBucketCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { type BlobInfo, IvcapError, isIvcapError, type OpOptions } from '@ivcap/core/driver'
import { ask } from './ask.js'
import { fullKey, type Place } from './place.js'

/** Under this name a blob's user metadata hold what the call that wrote it called itself. */
export const WRITER = 'ivcap-writer'

export interface Found {
  readonly info: BlobInfo
  /** Absent: others wrote it. */
  readonly writer?: string
}

/** @throws IvcapError `not-found` */
export async function head(place: Place, key: string, o: OpOptions): Promise<Found> {
  const at = { Bucket: place.bucket, Key: fullKey(place, key) }
  const subject = { doing: 'look up', key, action: 's3:GetObject' }
  const told = await ask(place, subject, (s3, a) => s3.send(new HeadObjectCommand(at), a), o).catch(
    async (error: unknown) => {
      // the answer to HEAD doesn't say whether the blob is missing, or the whole bucket
      if (isIvcapError(error, 'not-found')) await expectBucket(place, o)
      throw error
    },
  )
  const writer = told.Metadata?.[WRITER]
  const info = infoOf(place, key, told.ContentLength, told.ETag)
  return { info, ...(writer !== undefined && { writer }) }
}

/** What is there, if anything. */
export async function lookUp(place: Place, key: string, o: OpOptions): Promise<Found | undefined> {
  try {
    return await head(place, key, o)
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return undefined
    throw error
  }
}

/**
 * S3 tells a last-modified time in lists and answers, to different precisions, and none for what was just written: left out.
 * ETags come in quotes, but for some: Ceph answers a CompleteMultipartUpload that it is asked again without them.
 */
export function infoOf(
  place: Place,
  key: string,
  size: number | undefined,
  etag: string | undefined,
): BlobInfo {
  if (size !== undefined && etag) return { key, size, etag: etag.replace(/^"(.*)"$/, '$1') }
  throw new IvcapError(
    'protocol',
    `${place.server} tells no size or ETag of ${key}: check that it speaks S3`,
    {
      resource: key,
    },
  )
}

/** What else goes wrong here says nothing of the blob: that it is missing was the answer. */
async function expectBucket(place: Place, o: OpOptions): Promise<void> {
  if (place.known.exists) return
  const subject = { doing: 'find the bucket' }
  const at = { Bucket: place.bucket }
  try {
    await ask(place, subject, (s3, a) => s3.send(new HeadBucketCommand(at), a), o)
  } catch (error) {
    o.signal?.throwIfAborted()
    if (!isIvcapError(error, 'not-found')) return
    const why =
      'there is no such bucket: check its name, the endpoint and the account of the credentials, or create it'
    throw new IvcapError('invalid-argument', `can't use ${place.uri} (${place.server}): ${why}`, {
      argument: 'bucket',
      resource: place.uri,
    })
  }
}
