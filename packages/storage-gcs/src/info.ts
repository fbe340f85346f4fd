import {
  type BlobInfo,
  IvcapError,
  isIvcapError,
  isJsonObject,
  type JsonObject,
  type OpOptions,
} from '@ivcap/core/driver'
import { ask, ignore, jsonOf } from './ask.js'
import { NO_BUCKET } from './errors.js'
import { blobUrl, type Place } from './place.js'

/** Under this name a blob's metadata hold what the call that wrote it called itself. */
export const WRITER = 'ivcap-writer'
/** What of a blob's resource is asked for. */
export const FIELDS = 'size,generation,crc32c,metadata'

export interface Found {
  readonly info: BlobInfo
  /** Of the whole, as base64. */
  readonly crc32c?: string
  /** Absent: others wrote it. */
  readonly writer?: string
}

/** @throws IvcapError `not-found` */
export async function head(place: Place, key: string, o: OpOptions): Promise<Found> {
  const url = blobUrl(place, key, { fields: FIELDS })
  const question = { method: 'GET', url, read: jsonOf } as const
  const told = await orNoBucket(
    place,
    o,
    ask(place, { doing: 'look up', key, action: 'storage.objects.get' }, question, o),
  )
  return foundIn(place, key, told)
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

export function foundIn(place: Place, key: string, told: JsonObject): Found {
  const { crc32c, metadata } = told
  const writer = isJsonObject(metadata) ? metadata[WRITER] : undefined
  return {
    info: infoOf(place, key, told['size'], told['generation']),
    ...(typeof crc32c === 'string' && { crc32c }),
    ...(typeof writer === 'string' && { writer }),
  }
}

/** A generation is given to each version of the bytes, and to no other; a blob's own ETag changes with its metadata, too. */
export function infoOf(place: Place, key: string, size: unknown, generation: unknown): BlobInfo {
  if (isWhole(size) && isWhole(generation)) return { key, size: Number(size), etag: generation }
  const message = `${place.server} tells no size or generation of ${key}: check that it is Google Cloud Storage`
  throw new IvcapError('protocol', message, { resource: key })
}

/** Numbers of 64 bits come as text. */
const isWhole = (value: unknown): value is string => typeof value === 'string' && /^\d+$/.test(value)

/** Where a blob is missing, it may be the whole bucket: not `not-found`, which is what a blob may be. */
export async function orNoBucket<T>(place: Place, o: OpOptions, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isIvcapError(error, 'not-found') && !place.known.exists) await expectBucket(place, o)
    throw error
  }
}

/**
 * By a list: an account that may read blobs may not be allowed to read buckets. What else goes wrong here says nothing of the
 * blob: that it is missing was the answer.
 */
async function expectBucket(place: Place, o: OpOptions): Promise<void> {
  const url = blobUrl(place, undefined, { maxResults: '1', fields: 'nextPageToken' })
  try {
    await ask(place, { doing: 'find the bucket' }, { method: 'GET', url, read: ignore }, o)
  } catch (error) {
    o.signal?.throwIfAborted()
    if (isIvcapError(error, 'not-found')) throw noBucket(place)
    if (isIvcapError(error, 'invalid-argument')) throw error
  }
}

export const noBucket = ({ uri, server }: Place): IvcapError =>
  new IvcapError('invalid-argument', `can't use ${uri} (${server}): ${NO_BUCKET}`, {
    argument: 'bucket',
    resource: uri,
  })
