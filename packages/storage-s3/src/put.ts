import { randomUUID } from 'node:crypto'
import { type BlobInfo, type BlobStore, type ByteSource, progressOf } from '@ivcap/core/driver'
import { piecesOf } from '@ivcap/core/internal'
import { budgetOf } from './ask.js'
import { putParts } from './multipart.js'
import { LEAST_PART, MiB, MOST_PARTS } from './options.js'
import { fullKey, type Place } from './place.js'
import { putOnce } from './put-once.js'
import type { Writing } from './writing.js'

/** Of content of unknown length, so many parts have the same size: the next ones have twice that. */
const GROW_AFTER = 1_000

/**
 * See `BlobStore.put`. What one part holds goes in one request, the rest by a multipart upload, part by part as they are read:
 * `concurrency` of them on their way and one that is being filled.
 */
export async function put(
  place: Place,
  key: string,
  body: ByteSource,
  o: Parameters<BlobStore['put']>[2],
): Promise<BlobInfo> {
  o.signal?.throwIfAborted()
  fullKey(place, key)
  const stopping = new AbortController()
  const signal = o.signal ? AbortSignal.any([stopping.signal, o.signal]) : stopping.signal
  const writing: Writing = {
    ...o,
    ...budgetOf(place, o),
    key,
    writer: randomUUID(),
    progress: progressOf(o, body.size),
  }
  const pieces = piecesOf(body, { sizeOf: partSizes(o.chunkSize ?? place.partSize, body.size), signal })
  try {
    const { value: first } = await pieces.next()
    o.signal?.throwIfAborted()
    if (first === undefined || first.last) {
      return await putOnce(place, first?.bytes ?? new Uint8Array(), writing)
    }
    return await putParts(place, { first, rest: pieces, stopping }, writing)
  } catch (error) {
    throw o.signal?.aborted ? o.signal.reason : error
  } finally {
    await pieces.return()
  }
}

/** So that the whole takes no more parts than S3 allows; by their number, from 0. */
function partSizes(wanted: number, size: number | undefined): (n: number) => number {
  const least = Math.max(wanted, LEAST_PART)
  if (size === undefined) return (n) => least * 2 ** Math.floor(n / GROW_AFTER)
  const enough = Math.max(least, Math.ceil(size / MOST_PARTS / MiB) * MiB)
  return () => enough
}
