import {
  type BlobInfo,
  IvcapError,
  isIvcapError,
  type OpOptions,
  opOptions,
  type ReadOptions,
  type RetryOptions,
  retry,
} from '@ivcap/core/driver'
import type { BlobState, BucketDriver, ErrorContext, RequestOptions } from './driver.js'
import { missingBucket, toIvcapError } from './errors.js'
import { type BucketSettings, invalid, LONGEST_KEY } from './settings.js'

/** The key in a blob's metadata for the id of the call that wrote it. */
export const WRITER = 'ivcap-writer'

/** A prefix in a bucket, and the driver that reaches it. */
export interface Bucket extends BucketSettings {
  readonly driver: BucketDriver
  /** The URI including the prefix. */
  readonly uri: string
  /** What is known of the bucket so far. */
  readonly known: { exists: boolean }
}

export type Budget = Pick<RetryOptions, 'retries' | 'retryDelay'>
export type SendOptions = OpOptions & Pick<ReadOptions, 'memory'>
type Send<T> = (o: RequestOptions) => Promise<T>

/** Returns the retry budget of the call; without one, the store's own. */
export const budgetOf = ({ retries, retryDelay }: Bucket, o: OpOptions): OpOptions & Budget => ({
  retries,
  retryDelay,
  ...opOptions(o),
})

/** Sends a request that may be carried out twice, and retries it within the budget of the call. */
export function request<T>(
  bucket: Bucket,
  context: ErrorContext,
  send: Send<T>,
  o: SendOptions & Pick<RetryOptions, 'progress'>,
): Promise<T> {
  const attempt = () => sendOnce(bucket, context, send, o)
  return retry(attempt, { ...budgetOf(bucket, o), progress: o.progress })
}

/** Sends a request once. If a blob is missing, also checks whether the bucket exists; a missing bucket is then the error. */
export async function sendOnce<T>(
  bucket: Bucket,
  context: ErrorContext,
  send: Send<T>,
  o: SendOptions,
): Promise<T> {
  const { known, driver, uri } = bucket
  const { signal, memory } = o
  signal?.throwIfAborted()
  try {
    const response = await send({ ...(signal && { signal }), ...(memory && { memory }) })
    known.exists = true
    return response
  } catch (error) {
    signal?.throwIfAborted()
    const mapped = toIvcapError(error, context, driver, uri)
    if (mapped.code === 'not-found' && !known.exists && context !== FINDING) {
      known.exists = !isIvcapError(error) && driver.classify(error, context).bucketExists === true
      if (!known.exists) await assertBucketExists(bucket, o)
    }
    throw mapped
  }
}

const FINDING: ErrorContext = { operation: 'find the bucket' }

/** Failures other than `not-found` and `invalid-argument` say nothing about the bucket, and are ignored. */
async function assertBucketExists(bucket: Bucket, o: OpOptions): Promise<void> {
  try {
    await request(bucket, FINDING, (a) => bucket.driver.findBucket(a), o)
  } catch (error) {
    o.signal?.throwIfAborted()
    if (isIvcapError(error, 'not-found')) throw noBucket(bucket)
    if (isIvcapError(error, 'invalid-argument')) throw error
  }
}

export function noBucket({ uri, driver }: Bucket): IvcapError {
  const { why } = missingBucket(driver.bucketRemedy)
  return new IvcapError('invalid-argument', `can't use ${uri} (${driver.server}): ${why}`, {
    argument: 'bucket',
    resource: uri,
  })
}

/** Returns the key in the bucket. @throws IvcapError `invalid-argument` if it is empty or too long */
export function fullKey({ prefix, uri, driver }: Bucket, key: string): string {
  const full = `${prefix}${key}`
  const bytes = Buffer.byteLength(full)
  if (key !== '' && bytes <= LONGEST_KEY) return full
  const problem =
    key === '' ? 'is empty' : `has ${bytes} bytes with its prefix, and ${driver.product} takes ${LONGEST_KEY}`
  throw invalid('key', `the key ${JSON.stringify(key.slice(0, 80))} ${problem}: use another (${uri})`)
}

/** @throws IvcapError `protocol` if the server did not return size and version */
export function blobInfo(
  { driver }: Bucket,
  key: string,
  { size, etag }: Pick<BlobState, 'size' | 'etag'>,
): BlobInfo {
  if (size !== undefined && Number.isSafeInteger(size) && etag) return { key, size, etag }
  const message = `${driver.server} tells no size or ${driver.versionName} of ${key}: check that it is ${driver.product}`
  throw new IvcapError('protocol', message, { resource: key })
}

export interface StoredBlob {
  readonly info: BlobInfo
  /** Absent if another program wrote the blob. */
  readonly writer?: string | undefined
  readonly checksum?: string | undefined
}

/** @throws IvcapError `not-found` */
export async function head(bucket: Bucket, key: string, o: OpOptions): Promise<StoredBlob> {
  const full = fullKey(bucket, key)
  const context = { operation: 'look up', key, permission: 'read' } as const
  const state = await request(bucket, context, (a) => bucket.driver.head(full, a), o)
  return { info: blobInfo(bucket, key, state), writer: state.writer, checksum: state.checksum }
}

/** Like `head`, but returns undefined if the blob does not exist. */
export async function findBlob(bucket: Bucket, key: string, o: OpOptions): Promise<StoredBlob | undefined> {
  try {
    return await head(bucket, key, o)
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return undefined
    throw error
  }
}
