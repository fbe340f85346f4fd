import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { type BlobInfo, IvcapError, isIvcapError, type Piece, retry } from '@ivcap/core/driver'
import { ask, askOnce } from './ask.js'
import { isDoubtful } from './errors.js'
import { head, infoOf } from './info.js'
import { fullKey, type Place } from './place.js'
import { dropForgotten } from './sweep.js'
import { signingLittle } from './unsigned.js'
import { commit, expectFree, headersOf, type Writing } from './writing.js'

export interface Pieces {
  readonly first: Piece
  readonly rest: AsyncIterable<Piece>
  /** Ends the reading of the rest. */
  readonly stopping: AbortController
}

/** A multipart upload. However it ends, nothing of it is left but the blob. */
export async function putParts(place: Place, pieces: Pieces, writing: Writing): Promise<BlobInfo> {
  await expectFree(place, writing)
  const upload = await begin(place, writing)
  try {
    const { parts, size } = await sendAll(place, upload, pieces, writing)
    writing.signal?.throwIfAborted()
    // what AWS's servers check themselves
    if (!place.aws) await expectFree(place, writing)
    writing.signal?.throwIfAborted()
    const info = await commit(place, writing, () => complete(place, upload, parts, size, writing))
    writing.progress.finish(size)
    return info
  } catch (error) {
    await abandon(place, upload, writing)
    throw error
  }
}

/** Its answer is waited for, whatever the caller's signal says: an upload whose id nobody knows would stay for ever. */
async function begin(place: Place, writing: Writing): Promise<string> {
  const request = headersOf(place, writing)
  const subject = { doing: 'begin to store', key: writing.key }
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
      forgotten ||= isDoubtful(error)
      throw error
    }
  }
  try {
    await retry(attempt, writing)
  } finally {
    if (forgotten) await dropForgotten(place, writing.key, id)
  }
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
      parts[number - 1] = await sendPart(place, upload, number, bytes, stopping.signal, writing)
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
  stopping: AbortSignal,
  writing: Writing,
): Promise<CompletedPart> {
  const { key, retries, retryDelay, signal } = writing
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
    { doing: `store part ${number} of`, key },
    (s3, o) => s3.send(signingLittle(new UploadPartCommand(request), bytes), o),
    { retries, retryDelay, signal: AbortSignal.any([stopping, ...(signal ? [signal] : [])]) },
  )
  const { $metadata, ServerSideEncryption, ...checksums } = told
  return { ...checksums, PartNumber: number }
}

async function complete(
  place: Place,
  upload: string,
  parts: CompletedPart[],
  size: number,
  { key, mode }: Writing,
): Promise<BlobInfo> {
  const request = {
    Bucket: place.bucket,
    Key: fullKey(place, key),
    UploadId: upload,
    MultipartUpload: { Parts: parts },
    ...(place.aws && mode === 'create' && { IfNoneMatch: '*' }),
  }
  const subject = { doing: 'finish storing', key }
  const told = await askOnce(
    place,
    subject,
    (s3, o) => s3.send(new CompleteMultipartUploadCommand(request), o),
    {},
  )
  // Ceph tells none here
  return told.ETag ? infoOf(place, key, size, told.ETag) : (await head(place, key, {})).info
}

async function abandon(place: Place, upload: string, { key }: Writing): Promise<void> {
  const request = { Bucket: place.bucket, Key: fullKey(place, key), UploadId: upload }
  const subject = { doing: 'abandon the upload of', key }
  try {
    await ask(place, subject, (s3, o) => s3.send(new AbortMultipartUploadCommand(request), o), {})
  } catch (error) {
    // it may have been completed; if the server can't be reached, a sweep will find it
    if (!isIvcapError(error)) throw error
  }
}
