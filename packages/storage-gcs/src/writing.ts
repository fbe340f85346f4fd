import { type BlobInfo, IvcapError, isIvcapError, type OpOptions, retry } from '@ivcap/core/driver'
import { afterFailure, type Progress } from '@ivcap/core/internal'
import { ask, type Budget, budgetOf, ignore } from './ask.js'
import { isOutcomeUnknown } from './errors.js'
import { type Found, lookUp, WRITER } from './info.js'
import { blobUrl, fullKey, type Place, type Query, type Subject } from './place.js'

/** How long a request that its caller has aborted may take to come to its end. */
export const GRACE_MS = 2_000

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
export const resourceOf = (place: Place, { key, writer, contentType }: Writing) => ({
  name: fullKey(place, key),
  metadata: { [WRITER]: writer },
  ...(contentType !== undefined && { contentType }),
})

/** Of many creators the server lets one through. */
export const conditionOf = ({ mode }: Writing): Query => (mode === 'create' ? { ifGenerationMatch: '0' } : {})

/** A request of a write, for messages. */
export const storing = ({ key, mode }: Writing, doing: string): Subject => ({
  doing,
  key,
  action: 'storage.objects.create',
  conditional: mode === 'create',
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
  let isOpen = false
  const attempt = async () => {
    try {
      return await send()
    } catch (error) {
      isOpen ||= isOutcomeUnknown(error)
      throw asTaken(place, writing, error)
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
  writing: Writing,
  { info, crc32c }: Found,
  instead: string,
): Promise<never> {
  const { key } = writing
  const url = blobUrl(place, key, { generation: info.etag })
  // 404: an answer before was lost
  const question = { method: 'DELETE', url, read: ignore, statuses: [404] } as const
  const subject = { doing: 'take back', key, action: 'storage.objects.delete' }
  const removed = await ask(place, subject, question, afterFailure(undefined, writing)).then(
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
