import { randomUUID } from 'node:crypto'
import { type BlobInfo, type BlobStore, type ByteSource, isIvcapError, progressOf } from '@ivcap/core/driver'
import { exhausted, piecesOf } from '@ivcap/core/internal'
import { budgetOf } from './ask.js'
import { CHUNK_UNIT } from './options.js'
import { fullKey, type Place } from './place.js'
import { putOnce } from './put-once.js'
import { putResumable } from './resumable.js'
import { isLost } from './session.js'
import { isAltered, type Writing } from './writing.js'

/**
 * See `BlobStore.put`. What one request holds goes in one, the rest by a resumable upload: one piece on its way and one that is
 * being filled.
 */
export async function put(
  place: Place,
  key: string,
  body: ByteSource,
  o: Parameters<BlobStore['put']>[2],
): Promise<BlobInfo> {
  o.signal?.throwIfAborted()
  fullKey(place, key)
  const writing: Writing = {
    ...o,
    ...budgetOf(place, o),
    key,
    writer: randomUUID(),
    progress: progressOf(o, body.size),
  }
  const size = Math.ceil((o.chunkSize ?? place.partSize) / CHUNK_UNIT) * CHUNK_UNIT
  let isInPieces = false
  const attempt = async () => {
    const stopping = new AbortController()
    const signal = AbortSignal.any([stopping.signal, ...(o.signal ? [o.signal] : [])])
    const rest = piecesOf(body, { sizeOf: () => size, signal })
    try {
      const { value: first } = await rest.next()
      o.signal?.throwIfAborted()
      isInPieces = first !== undefined && !first.last
      if (!first || first.last) return await putOnce(place, first?.bytes ?? new Uint8Array(), writing)
      return await putResumable(place, { first, rest, stopping }, writing)
    } finally {
      stopping.abort()
      await rest.return()
    }
  }
  const begun = performance.now()
  for (let again = 0; ; again++) {
    try {
      return await attempt()
    } catch (error) {
      if (o.signal?.aborted) throw o.signal.reason
      // what goes in one request has been sent again by now
      const anew = isLost(error) || (isInPieces && isAltered(error))
      if (!anew || !body.replayable) throw error
      if (again >= writing.retries) throw givenUp(error, again + 1, performance.now() - begun)
    }
  }
}

/** No layer above begins again. */
const givenUp = (error: unknown, attempts: number, elapsed: number): unknown =>
  isIvcapError(error) && error.retryable && error.attempts === undefined
    ? exhausted(error, error, attempts, elapsed)
    : error
