import { IvcapError } from '../../model/errors.js'
import type { BlobPage, BlobStore, OpOptions } from '../../ports/index.js'

/**
 * One LIST. Every loop of the engine that follows pages uses it: all keys of a page must come after `startAfter`, and a page that
 * promises more must contain one, so that no loop repeats itself.
 *
 * @throws IvcapError `protocol` if the store breaks that promise
 */
export async function listPage(
  blobs: BlobStore,
  q: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage> {
  const page = await blobs.list(q, o)
  const { startAfter = '' } = q
  const [first] = page.items
  if (first === undefined ? !page.more : first.key > startAfter) return page
  const what = first === undefined ? 'but none of them' : `and then ${first.key} again`
  const from = startAfter || q.prefix
  throw new IvcapError(
    'protocol',
    `${blobs.uri} lists more keys after ${from}, ${what}: its listing makes no progress`,
    { resource: blobs.uri },
  )
}
