import {
  type BlobInfo,
  IvcapError,
  isIvcapError,
  type OpOptions,
  type Progress,
  retry,
  type TransferOptions,
} from '@ivcap/core/driver'
import { ask, ignore } from './ask.js'
import { isDoubtful } from './errors.js'
import { type Found, lookUp, WRITER } from './info.js'
import { blobUrl, fullKey, type Place, type Query } from './place.js'

/** How long a request that its caller has aborted may take to come to its end. */
export const GRACE_MS = 2_000

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
export const resourceOf = (place: Place, { key, writer, contentType }: Writing) => ({
  name: fullKey(place, key),
  metadata: { [WRITER]: writer },
  ...(contentType !== undefined && { contentType }),
})

/** Of many creators the server lets one through. */
export const conditionOf = ({ mode }: Writing): Query => (mode === 'create' ? { ifGenerationMatch: '0' } : {})

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
  let doubtful = false
  const attempt = async () => {
    try {
      return await send()
    } catch (error) {
      doubtful ||= isDoubtful(error)
      const mine = doubtful ? await written(place, writing) : undefined
      if (mine !== undefined) return mine
      throw asTaken(place, writing, error)
    }
  }
  return await retry(attempt, writing)
}

/** What this call has written, if it is there. */
async function written(place: Place, { key, writer }: Writing): Promise<BlobInfo | undefined> {
  const found = await lookUp(place, key, { retries: 1 }).catch(() => undefined)
  return found?.writer === writer ? found.info : undefined
}

/** The condition of a creation that isn't met: somebody else was first. */
export function asTaken({ uri }: Place, { key, mode }: Writing, error: unknown): unknown {
  if (mode === 'overwrite' || !isIvcapError(error, 'precondition-failed')) return error
  return new IvcapError('already-exists', `there is a blob ${key} in ${uri} already`, { resource: key })
}

/** What the server has made, where it is what was sent; else it is taken back. */
export async function expectSent(
  place: Place,
  writing: Writing,
  found: Found,
  sent: { readonly size: number; readonly crc32c: string },
): Promise<BlobInfo> {
  const { info, crc32c } = found
  if (info.size === sent.size && (crc32c === undefined || crc32c === sent.crc32c)) return info
  return takeBack(place, writing, found, `not the ${sent.size} that were sent (${sent.crc32c})`)
}

/** Whether the server got other bytes than were sent, and nothing is left of them. */
export const isAltered = (error: unknown): boolean => isIvcapError(error, 'integrity') && error.retryable

export async function takeBack(
  place: Place,
  { key }: Writing,
  { info, crc32c }: Found,
  instead: string,
): Promise<never> {
  const url = blobUrl(place, key, { generation: info.etag })
  // 404: an answer before was lost
  const question = { method: 'DELETE', url, read: ignore, statuses: [404] } as const
  const removed = await ask(place, { doing: 'take back', key }, question, {}).then(
    () => true,
    () => false,
  )
  const outcome = removed ? 'it was removed' : 'it could not be removed'
  const made = `${place.server} stored ${info.size} bytes of ${key} (CRC32C ${crc32c})`
  throw new IvcapError('integrity', `${made}, ${instead}: ${outcome}; upload it again`, {
    resource: key,
    // a creation would find it there
    retryable: removed,
  })
}
