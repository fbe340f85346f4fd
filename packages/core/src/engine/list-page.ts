import { IvcapError } from '../model/errors.js'
import type { BlobPage, BlobStore, OpOptions } from '../ports.js'

/**
 * One LIST. Every loop of the engine that follows pages uses it: a page that promises more must contain a key after
 * `startAfter`, so that no loop repeats itself.
 *
 * @throws IvcapError `protocol` if the store reports more keys but returns none that follow
 */
export async function listPage(
  blobs: BlobStore,
  q: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage> {
  const page = await blobs.list(q, o)
  const last = page.items.at(-1)?.key
  if (!page.more || (last !== undefined && last > (q.startAfter ?? ''))) return page
  const from = q.startAfter === undefined ? q.prefix : q.startAfter
  const what = last === undefined ? 'but none of them' : `and then ${last} again`
  throw new IvcapError(
    'protocol',
    `${blobs.uri} lists more keys after ${from}, ${what}: its listing makes no progress`,
    { resource: blobs.uri },
  )
}
