import { type BlobInfo, IvcapError, isIvcapError, type OpOptions, opOptions, retry } from '@ivcap/core/driver'
import { afterFailure, type Piece } from '@ivcap/core/internal'
import { type Bucket, blobInfo, budgetOf, request, sendOnce } from './bucket.js'
import {
  asExisting,
  commit,
  deletePartial,
  findOwn,
  headersOf,
  type Pieces,
  verifyUpload,
  type Write,
  withDelayedAbort,
  writing,
} from './commit.js'
import type { BlobState, BucketDriver, ResumableUpload, ResumableUploads, UploadStatus } from './driver.js'
import { isOutcomeUnknown } from './errors.js'

/**
 * Uploads the content in sequence. The upload is cancelled before this rejects. If the server does not confirm that, it may still
 * have accepted a last piece whose response was lost: then the write succeeded.
 */
export async function putResumable(
  bucket: Bucket,
  uploads: ResumableUploads,
  pieces: Pieces,
  write: Write,
): Promise<BlobInfo> {
  const upload = await begin(bucket, uploads, write)
  const state = { isFinishing: false }
  try {
    return await sendAll(bucket, upload, pieces, write, state)
  } catch (error) {
    const isCancelled = await cancel(bucket, upload, write, error)
    const isUnknown = state.isFinishing && !isCancelled && isOutcomeUnknown(error)
    const own = isUnknown ? await findOwn(bucket, write, error) : undefined
    if (own === undefined) throw asExisting(bucket, write, error)
    write.progress.finish(own.size)
    return own
  }
}

async function begin(bucket: Bucket, uploads: ResumableUploads, write: Write): Promise<ResumableUpload> {
  const { key } = write
  const headers = headersOf(bucket, write)
  try {
    const upload = await request(
      bucket,
      writing(write, 'begin to store'),
      (o) => uploads.begin(headers, o),
      opOptions(write),
    )
    if (upload !== undefined) return upload
  } catch (error) {
    throw asExisting(bucket, write, error)
  }
  throw new IvcapError('protocol', `${bucket.driver.server} began an upload of ${key} without a URL for it`)
}

async function cancel(
  bucket: Bucket,
  upload: ResumableUpload,
  write: Write,
  failure: unknown,
): Promise<boolean> {
  const context = { operation: 'abort the upload of', key: write.key, permission: 'abortUpload' } as const
  const o = afterFailure(failure, write)
  return await request(bucket, context, (a) => upload.cancel(a), o).catch(() => false)
}

/** Reads the next piece, and updates the checksum, while one is sent. */
async function sendAll(
  bucket: Bucket,
  upload: ResumableUpload,
  { first, rest, stopping }: Pieces,
  write: Write,
  state: { isFinishing: boolean },
): Promise<BlobInfo> {
  const signal = AbortSignal.any([stopping.signal, ...(write.signal ? [write.signal] : [])])
  const checksum = bucket.driver.checksum?.()
  const readNext = async () => {
    const { value } = await rest.next()
    if (!value) throw new IvcapError('unknown', `the content of ${write.key} has no end`)
    checksum?.update(value.bytes)
    return value
  }
  let piece = first
  let start = 0
  checksum?.update(first.bytes)
  while (!piece.last) {
    const sending = sendMiddle(bucket, upload, { piece, start }, write, signal)
    const next = await both(readNext(), sending, stopping)
    start += piece.bytes.byteLength
    write.progress.report(start)
    piece.release()
    piece = next
  }
  const total = { checksum: checksum?.digest() }
  const sent = { size: start + piece.bytes.byteLength, ...total }
  state.isFinishing = true
  // `sendPiece` retries
  const info = await commit(bucket, { ...write, retries: 0 }, async () => {
    const blob = await withDelayedAbort(write, (o) =>
      sendPiece(bucket, upload, { piece, start, total }, write, o),
    )
    if (blob !== undefined) return await verifyUpload(bucket, write, blob, sent)
    throw new IvcapError('protocol', `${bucket.driver.server} has all of ${write.key}, and wants more`)
  })
  write.progress.finish(info.size)
  return info
}

/** Returns the result of `reading` once both have ended. A failure of either one stops the other. */
async function both<T>(
  reading: Promise<T>,
  sending: Promise<unknown>,
  stopping: AbortController,
): Promise<T> {
  const failures: unknown[] = []
  const fail = (error: unknown) => {
    failures.push(error)
    stopping.abort(error)
  }
  await Promise.all([reading.catch(fail), sending.catch(fail)])
  if (failures.length > 0) throw failures[0]
  return reading
}

interface PlacedPiece {
  readonly piece: Piece
  /** Position in the blob. */
  readonly start: number
  /** Set for the last piece. */
  readonly total?: { readonly checksum?: string | undefined }
}

/**
 * Sends a piece that is not the last. Deletes the blob and fails if the server makes a blob of the incomplete upload, as
 * fake-gcs-server does when its status is requested.
 */
async function sendMiddle(
  bucket: Bucket,
  upload: ResumableUpload,
  placed: PlacedPiece,
  write: Write,
  signal: AbortSignal,
): Promise<void> {
  const blob = await sendPiece(bucket, upload, placed, write, { signal }, { signal })
  if (blob === undefined) return
  const info = blobInfo(bucket, write.key, blob)
  await deletePartial(bucket, write, { ...blob, info }, 'before it had received all of them')
}

/**
 * Sends until the server has the whole piece. After a fault, continues at the position that the server reports.
 *
 * @param waiting its signal ends the wait for another attempt
 * @returns the blob, once it is complete
 */
async function sendPiece(
  bucket: Bucket,
  upload: ResumableUpload,
  { piece, start, total }: PlacedPiece,
  write: Write,
  o: OpOptions,
  waiting: OpOptions = {},
): Promise<BlobState | undefined> {
  const { server } = bucket.driver
  const { key } = write
  const end = start + piece.bytes.byteLength
  let received = start
  const ask = () => sendOnce(bucket, writing(write, 'go on storing'), (a) => upload.status(a), o)
  const send = (bytes: Uint8Array) =>
    sendOnce(bucket, writing(write, 'store'), (a) => upload.send(bytes, received, total, a), o)
  const attempt = async (n: number): Promise<BlobState | undefined> => {
    let status: UploadStatus = n === 0 ? { received } : await ask()
    for (;;) {
      if ('blob' in status) return status.blob
      received = status.received
      if (received < start || received > end) {
        const range = `${start} to ${end}`
        throw new IvcapError(
          'protocol',
          `${server} says that it has ${received} bytes of ${key}, not ${range}`,
        )
      }
      if (received === end && total === undefined) return undefined
      status = await send(piece.bytes.subarray(received - start))
      if ('blob' in status || status.received > received) continue
      throw new IvcapError('unavailable', `${server} has taken nothing of ${key} from byte ${received} on`)
    }
  }
  try {
    return await retry(attempt, { ...budgetOf(bucket, write), ...waiting, progress: () => received })
  } catch (error) {
    throw asLost(bucket, write, error)
  }
}

function asLost({ uri }: Bucket, { key }: Write, error: unknown): unknown {
  if (!isIvcapError(error) || (error.status !== 404 && error.status !== 410)) return error
  const message = `the server no longer knows the upload of ${key} to ${uri}: it was ended or has expired; upload it again`
  const details = { resource: key, status: LOST, retryable: false, cause: error }
  return new IvcapError('unavailable', message, details)
}

const LOST = 410

/**
 * True if an upload must start again: the server no longer knows it, or an altered blob was deleted. An altered part is repeated
 * on its own; a sequence of bytes can't be.
 */
export function mustRestart(error: unknown, kind: BucketDriver['uploads']['kind']): boolean {
  if (!isIvcapError(error)) return false
  return error.status === LOST || (kind === 'resumable' && error.code === 'integrity' && error.retryable)
}
