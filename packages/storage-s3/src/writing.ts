import {
  type BlobInfo,
  IvcapError,
  isIvcapError,
  type OpOptions,
  type Progress,
  retry,
  type TransferOptions,
} from '@ivcap/core/driver'
import { isDoubtful } from './errors.js'
import { lookUp, WRITER } from './info.js'
import { fullKey, type Place } from './place.js'

/** A write, as its steps need it. */
export interface Writing extends OpOptions, Pick<TransferOptions, 'retries' | 'retryDelay'> {
  readonly key: string
  readonly mode: 'create' | 'overwrite'
  readonly contentType?: string
  /** What this call calls itself in the blob's metadata: tells its work from that of others when an answer got lost. */
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
 * Sends the request by which the blob appears. An answer that got lost is settled by looking who wrote what is there; if it
 * was not this call, the request is sent again. A caller's abort ends the waiting for another try, not a request: after
 * it, what went through went through.
 */
export async function commit(
  place: Place,
  writing: Writing,
  send: () => Promise<BlobInfo>,
): Promise<BlobInfo> {
  // a client of the caller's own may have repeated it
  let doubtful = place.given
  const attempt = async () => {
    try {
      return await send()
    } catch (error) {
      doubtful ||= isDoubtful(error)
      const mine = doubtful ? await written(place, writing) : undefined
      if (mine !== undefined) return mine
      throw isIvcapError(error, 'precondition-failed') ? exists(place, writing) : error
    }
  }
  return await retry(attempt, writing)
}

/** What this call has written, if it is there. */
async function written(place: Place, { key, writer }: Writing): Promise<BlobInfo | undefined> {
  const found = await lookUp(place, key, { retries: 1 }).catch(() => undefined)
  return found?.writer === writer ? found.info : undefined
}

/** Spares sending in vain; what decides is the condition of the commit, where the server keeps it. */
export async function expectFree(place: Place, writing: Writing): Promise<void> {
  if (writing.mode === 'overwrite') return
  const { signal } = writing
  if ((await lookUp(place, writing.key, signal ? { signal } : {})) !== undefined) throw exists(place, writing)
}

const exists = (place: Place, { key }: Writing): IvcapError =>
  new IvcapError('already-exists', `there is a blob ${key} in ${place.uri} already`, { resource: key })
