import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { type BlobInfo, emit, IvcapError, isIvcapError, opOptions, retry } from '@ivcap/core/driver'
import { afterFailure, type Piece } from '@ivcap/core/internal'
import { ask, askOnce, budgetOf } from './ask.js'
import { isOutcomeUnknown } from './errors.js'
import { head, infoOf } from './info.js'
import { fullKey, type Place } from './place.js'
import { dropForgotten } from './sweep.js'
import { signingLittle } from './unsigned.js'
import { commit, expectFree, headersOf, type Writing, written } from './writing.js'

export interface Pieces {
  readonly first: Piece
  readonly rest: AsyncIterable<Piece>
  /** Ends the reading of the rest. */
  readonly stopping: AbortController
}

/**
 * A multipart upload. If it fails, it is ended: nothing of it is left. A completion without an answer may be carried out later;
 * an upload that can't be ended any more was completed, so that it succeeded after all.
 */
export async function putParts(place: Place, pieces: Pieces, writing: Writing): Promise<BlobInfo> {
  await expectFree(place, writing)
  const upload = await begin(place, writing)
  let isCompleting = false
  try {
    const { parts, size } = await sendAll(place, upload, pieces, writing)
    writing.signal?.throwIfAborted()
    // what AWS's servers check themselves
    if (!place.aws) await expectFree(place, writing)
    writing.signal?.throwIfAborted()
    isCompleting = true
    const info = await commit(place, writing, () => complete(place, upload, parts, size, writing))
    writing.progress.finish(size)
    return info
  } catch (error) {
    const isGone = await abandon(place, upload, writing, error)
    const mine = isCompleting && isGone ? await written(place, writing, error) : undefined
    if (mine === undefined) throw error
    writing.progress.finish(mine.size)
    return mine
  }
}

/** Its answer is waited for, whatever the caller's signal says: an upload whose id nobody knows would stay for ever. */
async function begin(place: Place, writing: Writing): Promise<string> {
  const request = headersOf(place, writing)
  const subject = { doing: 'begin to store', key: writing.key, action: 's3:PutObject' }
  let forgotten = false
  let id: string | undefined
  const attempt = async () => {
    try {
      const told = await askOnce(
        place,
        subject,
        (s3, o) => s3.send(new CreateMultipartUploadCommand(request), o),
        {},
      )
      id = told.UploadId
    } catch (error) {
      forgotten ||= isOutcomeUnknown(error)
      throw error
    }
  }
  try {
    await retry(attempt, budgetOf(place, writing))
  } catch (error) {
    if (forgotten) await dropForgotten(place, writing.key, undefined, afterFailure(error, writing))
    throw error
  }
  if (forgotten) await dropForgotten(place, writing.key, id, afterFailure(undefined, writing))
  if (id !== undefined) return id
  throw new IvcapError('protocol', `${place.server} began an upload of ${writing.key} without an id`)
}

/** As many at once as allowed. A part that fails is sent again by itself; one that fails for good ends all of them. */
async function sendAll(
  place: Place,
  upload: string,
  { first, rest, stopping }: Pieces,
  writing: Writing,
): Promise<{ readonly parts: CompletedPart[]; readonly size: number }> {
  const parts: CompletedPart[] = []
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let [size, accepted] = [0, 0]

  const send = async (number: number, { bytes, release }: Piece) => {
    try {
      const progress = () => accepted
      parts[number - 1] = await sendPart(place, upload, number, bytes, { stopping, progress, writing })
      accepted += bytes.byteLength
      release()
      writing.progress.report(accepted)
    } catch (error) {
      failures.push(error)
      stopping.abort(error)
    }
  }
  const launch = (piece: Piece) => {
    const number = parts.push({})
    size += piece.bytes.byteLength
    const sending = send(number, piece).finally(() => underWay.delete(sending))
    underWay.add(sending)
  }
  try {
    launch(first)
    for await (const piece of rest) {
      if (underWay.size >= place.concurrency) await Promise.race(underWay)
      if (failures.length > 0) break
      launch(piece)
    }
  } catch (error) {
    failures.push(error)
    stopping.abort(error)
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
  return { parts, size }
}

async function sendPart(
  place: Place,
  upload: string,
  number: number,
  bytes: Uint8Array,
  {
    stopping,
    progress,
    writing,
  }: {
    readonly stopping: AbortController
    /** Bytes that were accepted, of all parts. */
    readonly progress: () => number
    readonly writing: Writing
  },
): Promise<CompletedPart> {
  const { key, signal } = writing
  const request = {
    Bucket: place.bucket,
    Key: fullKey(place, key),
    UploadId: upload,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.byteLength,
  }
  const told = await ask(
    place,
    { doing: `store part ${number} of`, key, action: 's3:PutObject' },
    (s3, o) => s3.send(signingLittle(new UploadPartCommand(request), bytes), o),
    {
      ...opOptions(writing),
      progress,
      signal: AbortSignal.any([stopping.signal, ...(signal ? [signal] : [])]),
    },
  )
  const { $metadata, ServerSideEncryption, ...checksums } = told
  return { ...checksums, PartNumber: number }
}

async function complete(
  place: Place,
  upload: string,
  parts: CompletedPart[],
  size: number,
  writing: Writing,
): Promise<BlobInfo> {
  const { key, mode } = writing
  const isConditional = place.aws && mode === 'create'
  const request = {
    Bucket: place.bucket,
    Key: fullKey(place, key),
    UploadId: upload,
    MultipartUpload: { Parts: parts },
    ...(isConditional && { IfNoneMatch: '*' }),
  }
  const subject = { doing: 'finish storing', key, action: 's3:PutObject', conditional: isConditional }
  const told = await askOnce(
    place,
    subject,
    (s3, o) => s3.send(new CompleteMultipartUploadCommand(request), o),
    {},
  )
  // Ceph tells none here
  return told.ETag
    ? infoOf(place, key, size, told.ETag)
    : (await head(place, key, afterFailure(undefined, writing))).info
}

/**
 * Ends the upload after a failure. Whether it is no longer there: it was completed, or ended by somebody else. Where the server
 * can't be reached it stays, for a sweep.
 */
async function abandon(place: Place, upload: string, writing: Writing, failure: unknown): Promise<boolean> {
  const { key, onEvent } = writing
  const request = { Bucket: place.bucket, Key: fullKey(place, key), UploadId: upload }
  const subject = { doing: 'abandon the upload of', key, action: 's3:AbortMultipartUpload' }
  const o = afterFailure(failure, writing)
  try {
    await ask(place, subject, (s3, a) => s3.send(new AbortMultipartUploadCommand(request), a), o)
    return false
  } catch (error) {
    if (!isIvcapError(error)) throw error
    if (error.status === 404) return true
    const message = `an unfinished upload of ${key} may be left in ${place.uri}: sweepUploads() ends it (${error.message})`
    emit({ kind: 'orphan', message, resource: key }, onEvent)
    return false
  }
}
