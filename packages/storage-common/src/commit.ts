import { type BlobInfo, IvcapError, isIvcapError, type OpOptions, opOptions, retry } from '@ivcap/core/driver'
import { afterFailure, delayedAbort, type Piece, type Progress } from '@ivcap/core/internal'
import {
  type Bucket,
  type Budget,
  blobInfo,
  budgetOf,
  findBlob,
  fullKey,
  request,
  type StoredBlob,
  sendOnce,
} from './bucket.js'
import type { BlobHeaders, BlobState, ErrorContext } from './driver.js'
import { isOutcomeUnknown } from './errors.js'

/** The properties of a write that its steps need. */
export interface Write extends Omit<OpOptions, 'retries' | 'retryDelay'>, Budget {
  readonly key: string
  readonly mode: 'create' | 'overwrite'
  readonly contentType?: string
  /** Stored with the blob, so that a write whose response was lost recognises its own blob. */
  readonly writer: string
  readonly progress: Progress
}

/** The content of an upload that takes more than one request. */
export interface Pieces {
  readonly first: Piece
  readonly rest: AsyncGenerator<Piece, void>
  /** Stops the reading of the rest. */
  readonly stopping: AbortController
}

/** Milliseconds for which a request that commits a blob continues after the caller's abort. */
const COMMIT_TIMEOUT = 2_000

export const headersOf = (bucket: Bucket, { key, mode, writer, contentType }: Write): BlobHeaders => ({
  key: fullKey(bucket, key),
  create: mode === 'create',
  writer,
  contentType,
})

/** Describes a request of a write, for messages. */
export const writing = ({ key, mode }: Write, operation: string): ErrorContext => ({
  operation,
  key,
  permission: 'write',
  conditional: mode === 'create',
})

/** Sends one request: the server stores all or nothing, and enforces the condition of a creation. */
export async function putSingle(bucket: Bucket, bytes: Uint8Array, write: Write): Promise<BlobInfo> {
  const { driver } = bucket
  const checksum = checksumOf(bucket, bytes)
  const blob = { ...headersOf(bucket, write), bytes, checksum }
  const info = await commit(bucket, write, () =>
    withDelayedAbort(write, async (stop) => {
      const o = { ...afterFailure(undefined, write), ...stop }
      const state = await sendOnce(bucket, writing(write, 'store'), (a) => driver.put(blob, a), o)
      return await verifyUpload(bucket, write, state, { size: bytes.byteLength, checksum })
    }),
  )
  write.progress.finish(info.size)
  return info
}

function checksumOf({ driver }: Bucket, bytes: Uint8Array): string | undefined {
  const checksum = driver.checksum?.()
  checksum?.update(bytes)
  return checksum?.digest()
}

/** Sends a request that completes an upload. An abort ends the request only after `COMMIT_TIMEOUT`. */
export async function withDelayedAbort<T>(write: Write, send: (o: OpOptions) => Promise<T>): Promise<T> {
  const stop = delayedAbort(write.signal, COMMIT_TIMEOUT)
  try {
    return await send(stop.options)
  } finally {
    stop.clear()
  }
}

/**
 * Sends the request that makes the blob visible, and retries it after transient faults. If a failed attempt may have been carried
 * out, the blob's writer decides at the end. The caller's abort ends the wait for another attempt, but not a request in progress.
 */
export async function commit(bucket: Bucket, write: Write, send: () => Promise<BlobInfo>): Promise<BlobInfo> {
  let isUnknown = bucket.driver.mayRepeat === true
  const attempt = async () => {
    try {
      return await send()
    } catch (error) {
      isUnknown ||= isOutcomeUnknown(error)
      throw asExisting(bucket, write, error)
    }
  }
  try {
    return await retry(attempt, budgetOf(bucket, write))
  } catch (error) {
    const own = isUnknown ? await findOwn(bucket, write, error) : undefined
    if (own !== undefined) return own
    throw error
  }
}

/** Returns the blob if this call wrote it. Returns undefined if that is unknown: the failure of the write is then reported. */
export async function findOwn(bucket: Bucket, write: Write, failure: unknown): Promise<BlobInfo | undefined> {
  const blob = await findBlob(bucket, write.key, afterFailure(failure, write)).catch(() => undefined)
  return blob?.writer === write.writer ? blob.info : undefined
}

/**
 * Avoids a useless upload if the key exists. The condition of the commit decides. If the server enforces it, a missing permission
 * for this request does not prevent the write.
 */
export async function assertKeyAbsent(bucket: Bucket, write: Write): Promise<void> {
  if (write.mode === 'overwrite') return
  const blob = await findBlob(bucket, write.key, opOptions(write)).catch((error: unknown) => {
    if (bucket.driver.atomicCreate === 'always' && isIvcapError(error, 'permission-denied')) return undefined
    throw error
  })
  if (blob !== undefined) throw alreadyExists(bucket, write)
}

/** Returns the error, or `already-exists` if the condition of a creation was not met. */
export function asExisting(bucket: Bucket, write: Write, error: unknown): unknown {
  const isTaken = write.mode === 'create' && isIvcapError(error, 'precondition-failed')
  return isTaken ? alreadyExists(bucket, write) : error
}

const alreadyExists = ({ uri }: Bucket, { key }: Write): IvcapError =>
  new IvcapError('already-exists', `there is a blob ${key} in ${uri} already`, { resource: key })

interface Sent {
  readonly size: number
  readonly checksum: string | undefined
}

/** Returns the blob that the server has stored. If it differs from what was sent, deletes it and fails. */
export async function verifyUpload(
  bucket: Bucket,
  write: Write,
  { size = Number.NaN, etag, writer, checksum }: BlobState,
  sent: Sent,
): Promise<BlobInfo> {
  const info = blobInfo(bucket, write.key, { size: Number.isNaN(size) ? sent.size : size, etag })
  const isSame = sent.checksum === undefined || checksum === undefined || checksum === sent.checksum
  if (info.size === sent.size && isSame) return info
  const expected = `not the ${sent.size} that were sent (${sent.checksum})`
  return await deletePartial(bucket, write, { info, writer, checksum }, expected)
}

/** Deletes a blob that the server made of other bytes than were sent. Always throws. @throws IvcapError `integrity` */
export async function deletePartial(
  bucket: Bucket,
  write: Write,
  { info, checksum }: StoredBlob,
  expected: string,
): Promise<never> {
  const { key } = write
  const context = { operation: 'delete the altered', key, permission: 'delete' } as const
  const isDeleted = await request(
    bucket,
    context,
    (a) => bucket.driver.delete(fullKey(bucket, key), a, info.etag),
    afterFailure(undefined, write),
  ).then(
    () => true,
    // the response to an earlier attempt was lost
    (error: unknown) => isIvcapError(error, 'not-found'),
  )
  const outcome = isDeleted ? 'it was removed' : 'it could not be removed'
  const stored = `${bucket.driver.server} stored ${info.size} bytes of ${key} (checksum ${checksum})`
  throw new IvcapError('integrity', `${stored}, ${expected}: ${outcome}; upload it again`, {
    resource: key,
    // if the blob still exists, a repeated creation would find it
    retryable: isDeleted,
  })
}
