import { type BlobInfo, emit, IvcapError, isIvcapError, opOptions, retry } from '@ivcap/core/driver'
import { afterFailure, type Piece } from '@ivcap/core/internal'
import { type Bucket, blobInfo, budgetOf, head, request, sendOnce } from './bucket.js'
import { assertKeyAbsent, commit, findOwn, headersOf, type Pieces, type Write, writing } from './commit.js'
import type { PartUpload, PartUploads } from './driver.js'
import { isOutcomeUnknown } from './errors.js'
import { abortOrphanedUploads } from './unfinished.js'

/**
 * Uploads the content in parts. If that fails, the upload is aborted, and nothing of it is left. A completion whose response was
 * lost may be carried out later. If the upload can no longer be aborted, it was completed, and the write succeeded.
 */
export async function putParts(
  bucket: Bucket,
  uploads: PartUploads,
  pieces: Pieces,
  write: Write,
): Promise<BlobInfo> {
  await assertKeyAbsent(bucket, write)
  const upload = await begin(bucket, uploads, write)
  let isCompleting = false
  try {
    const size = await sendAll(bucket, upload, pieces, write)
    write.signal?.throwIfAborted()
    if (bucket.driver.atomicCreate !== 'always') await assertKeyAbsent(bucket, write)
    write.signal?.throwIfAborted()
    isCompleting = true
    const info = await commit(bucket, write, () => complete(bucket, upload, size, write))
    write.progress.finish(size)
    return info
  } catch (error) {
    const isGone = await abortUpload(bucket, upload, write, error)
    const own = isCompleting && isGone ? await findOwn(bucket, write, error) : undefined
    if (own === undefined) throw error
    write.progress.finish(own.size)
    return own
  }
}

/** Waits for the response even if the caller aborts: an upload whose id is unknown could not be aborted. */
async function begin(bucket: Bucket, uploads: PartUploads, write: Write): Promise<PartUpload> {
  const headers = headersOf(bucket, write)
  const context = { operation: 'begin to store', key: write.key, permission: 'write' } as const
  let isOrphaned = false
  const attempt = async () => {
    try {
      return await sendOnce(bucket, context, (o) => uploads.begin(headers, o), afterFailure(undefined, write))
    } catch (error) {
      isOrphaned ||= isOutcomeUnknown(error)
      throw error
    }
  }
  const abortOrphans = async (except: string | undefined, failure?: unknown) => {
    if (isOrphaned && uploads.unfinished)
      await abortOrphanedUploads(bucket, uploads.unfinished, write.key, except, afterFailure(failure, write))
  }
  const upload = await retry(attempt, budgetOf(bucket, write)).catch(async (error: unknown) => {
    await abortOrphans(undefined, error)
    throw error
  })
  await abortOrphans(upload?.id)
  if (upload !== undefined) return upload
  throw new IvcapError('protocol', `${bucket.driver.server} began an upload of ${write.key} without an id`)
}

/**
 * Sends `concurrency` parts at once, while one more is read. A part that fails is retried on its own. If its retries are
 * exhausted, all parts are stopped.
 *
 * @returns bytes of all parts
 */
async function sendAll(
  bucket: Bucket,
  upload: PartUpload,
  { first, rest, stopping }: Pieces,
  write: Write,
): Promise<number> {
  const { key } = write
  const signal = AbortSignal.any([stopping.signal, ...(write.signal ? [write.signal] : [])])
  const inProgress = new Set<Promise<void>>()
  const failures: unknown[] = []
  let [count, size, accepted] = [0, 0, 0]
  const fail = (error: unknown) => {
    failures.push(error)
    stopping.abort(error)
  }
  const send = async (number: number, { bytes, release }: Piece) => {
    const context = { operation: `store part ${number} of`, key, permission: 'write' } as const
    const o = { ...opOptions(write), signal, progress: () => accepted }
    await request(bucket, context, (a) => upload.send(number, bytes, a), o)
    accepted += bytes.byteLength
    release()
    write.progress.report(accepted)
  }
  const launch = (piece: Piece) => {
    size += piece.bytes.byteLength
    count += 1
    const sending = send(count, piece)
      .catch(fail)
      .finally(() => inProgress.delete(sending))
    inProgress.add(sending)
  }
  try {
    launch(first)
    for await (const piece of rest) {
      if (inProgress.size >= bucket.concurrency) await Promise.race(inProgress)
      if (failures.length > 0) break
      launch(piece)
    }
  } catch (error) {
    fail(error)
  }
  await Promise.all(inProgress)
  if (failures.length > 0) throw failures[0]
  return size
}

async function complete(bucket: Bucket, upload: PartUpload, size: number, write: Write): Promise<BlobInfo> {
  const { atomicCreate } = bucket.driver
  const conditional = atomicCreate === 'always' && write.mode === 'create'
  const context = { ...writing(write, 'finish storing'), conditional }
  const o = afterFailure(undefined, write)
  const { etag } = await sendOnce(bucket, context, (a) => upload.complete(a), o)
  return etag ? blobInfo(bucket, write.key, { size, etag }) : (await head(bucket, write.key, o)).info
}

/**
 * Aborts the upload after a failure. Returns true if it no longer exists, because it was completed, or aborted by another
 * program. If the server can't be reached, the upload stays until `abortStaleUploads`.
 */
async function abortUpload(
  bucket: Bucket,
  upload: PartUpload,
  { key, ...write }: Write,
  failure: unknown,
): Promise<boolean> {
  const context = { operation: 'abort the upload of', key, permission: 'abortUpload' } as const
  try {
    await request(bucket, context, (a) => upload.abort(a), afterFailure(failure, write))
    return false
  } catch (error) {
    if (!isIvcapError(error)) throw error
    if (error.status === 404) return true
    const message = `an unfinished upload of ${key} may be left in ${bucket.uri}: abortStaleUploads() ends it (${error.message})`
    emit({ kind: 'orphan', message, resource: key }, write.onEvent)
    return false
  }
}
