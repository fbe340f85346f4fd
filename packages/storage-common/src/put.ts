import { randomUUID } from 'node:crypto'
import { type BlobInfo, type ByteSource, isIvcapError, type PutOptions, progressOf } from '@ivcap/core/driver'
import { exhausted, piecesOf } from '@ivcap/core/internal'
import { type Bucket, budgetOf, fullKey } from './bucket.js'
import { putSingle, type Write } from './commit.js'
import type { PartLimits } from './driver.js'
import { putParts } from './multipart.js'
import { mustRestart, putResumable } from './resumable.js'
import { MiB } from './settings.js'

/** See `BlobStore.put`. Content of up to one part is sent in one request. Larger content is sent in parts while it is read. */
export async function put(bucket: Bucket, key: string, body: ByteSource, o: PutOptions): Promise<BlobInfo> {
  o.signal?.throwIfAborted()
  fullKey(bucket, key)
  const { uploads } = bucket.driver
  const write: Write = {
    ...o,
    ...budgetOf(bucket, o),
    key,
    writer: randomUUID(),
    progress: progressOf(o, body.size),
  }
  const sizeOf = partSizes(o.chunkSize ?? bucket.partSize, body.size, bucket.driver.parts)
  let isInParts = false
  const attempt = async () => {
    const stopping = new AbortController()
    const signal = o.signal ? AbortSignal.any([stopping.signal, o.signal]) : stopping.signal
    const rest = piecesOf(body, { sizeOf, signal })
    try {
      const { value: first } = await rest.next()
      o.signal?.throwIfAborted()
      if (!first || first.last) return await putSingle(bucket, first?.bytes ?? new Uint8Array(), write)
      const pieces = { first, rest, stopping }
      isInParts = true
      return uploads.kind === 'resumable'
        ? await putResumable(bucket, uploads, pieces, write)
        : await putParts(bucket, uploads, pieces, write)
    } finally {
      stopping.abort(ENDED)
      await rest.return()
    }
  }
  const begun = performance.now()
  for (let restarts = 0; ; restarts++) {
    try {
      return await attempt()
    } catch (error) {
      if (o.signal?.aborted) throw o.signal.reason
      if (!isInParts || !mustRestart(error, uploads.kind) || !body.replayable) throw error
      if (restarts >= write.retries) throw asExhausted(error, restarts + 1, performance.now() - begun)
    }
  }
}

/** Marks the error, so that no layer above starts again. */
const asExhausted = (error: unknown, attempts: number, elapsed: number): unknown =>
  isIvcapError(error) && error.retryable && error.attempts === undefined
    ? exhausted(error, error, attempts, elapsed)
    : error

/** Shared, because making a reason takes longer than the rest of an abort. */
const ENDED = new DOMException('the upload has ended', 'AbortError')

/** If the size of the content is unknown, the size of parts doubles after each of this many parts. */
const GROW_AFTER = 1_000

/** Returns the size of each part by its number, from 0, so that the content needs no more parts than the protocol allows. */
function partSizes(wanted: number, size: number | undefined, limits: PartLimits): (n: number) => number {
  const { least, unit, count } = limits
  const base = Math.ceil(Math.max(wanted, least) / unit) * unit
  if (count === Number.POSITIVE_INFINITY) return () => base
  if (size === undefined) return (n) => base * 2 ** Math.floor(n / GROW_AFTER)
  const enough = Math.max(base, Math.ceil(size / count / MiB) * MiB)
  return () => enough
}
