import { type BlobInfo, IvcapError, isIvcapError, type OpOptions, opOptions, retry } from '@ivcap/core/driver'
import { afterFailure, type Progress } from '@ivcap/core/internal'
import { type Budget, budgetOf } from './ask.js'
import { isOutcomeUnknown } from './errors.js'
import { lookUp, WRITER } from './info.js'
import { fullKey, type Place } from './place.js'

/** A write, as its steps need it. */
export interface Writing extends Omit<OpOptions, 'retries' | 'retryDelay'>, Budget {
  readonly key: string
  readonly mode: 'create' | 'overwrite'
  readonly contentType?: string
  /** Identifies the blobs that this call wrote, by their metadata, from those of others when an answer got lost. */
  readonly writer: string
  readonly progress: Progress
}

/** What the blob will say of itself. */
export const headersOf = (place: Place, { key, writer, contentType }: Writing) => ({
  Bucket: place.bucket,
  Key: fullKey(place, key),
  Metadata: { [WRITER]: writer },
  ...(contentType !== undefined && { ContentType: contentType }),
})

/**
 * Sends the request by which the blob appears, and sends it again after faults that pass. If one of these attempts may have
 * been carried out although it failed, it asks at the end who wrote what is there. A caller's abort ends the waiting for another
 * try, not a request: what went through went through.
 */
export async function commit(
  place: Place,
  writing: Writing,
  send: () => Promise<BlobInfo>,
): Promise<BlobInfo> {
  // a client of the caller's own may have repeated it
  let isOpen = place.given
  const attempt = async () => {
    try {
      return await send()
    } catch (error) {
      isOpen ||= isOutcomeUnknown(error)
      throw isIvcapError(error, 'precondition-failed') ? exists(place, writing) : error
    }
  }
  try {
    return await retry(attempt, budgetOf(place, writing))
  } catch (error) {
    const mine = isOpen ? await written(place, writing, error) : undefined
    if (mine !== undefined) return mine
    throw error
  }
}

/** What this call has written, if it is there. A failure of the question is no news: that of the write is reported. */
export async function written(
  place: Place,
  { key, writer, ...o }: Writing,
  failure: unknown,
): Promise<BlobInfo | undefined> {
  const found = await lookUp(place, key, afterFailure(failure, o)).catch(() => undefined)
  return found?.writer === writer ? found.info : undefined
}

/**
 * Spares sending in vain; what decides is the condition of the commit, on servers that keep it. There, a server that does not
 * allow the question does not prevent the write.
 */
export async function expectFree(place: Place, writing: Writing): Promise<void> {
  if (writing.mode === 'overwrite') return
  const found = await lookUp(place, writing.key, opOptions(writing)).catch((error: unknown) => {
    if (place.aws && isIvcapError(error, 'permission-denied')) return undefined
    throw error
  })
  if (found !== undefined) throw exists(place, writing)
}

const exists = (place: Place, { key }: Writing): IvcapError =>
  new IvcapError('already-exists', `there is a blob ${key} in ${place.uri} already`, { resource: key })
