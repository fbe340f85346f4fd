import { IvcapError, isIvcapError } from '../model/errors.js'
import type { BlobInfo, BlobStore, ByteSource, OpOptions, TransferOptions } from '../ports.js'
import { retry } from '../transfer/retry.js'
import type { Engine } from './context.js'

/**
 * Puts the bytes at a key that nobody else knows. After a fault it looks first whether they arrived; if not, it sends them
 * again, where the source can be read again.
 */
export async function storeBytes(
  { blobs }: Engine,
  key: string,
  source: ByteSource,
  o: OpOptions & TransferOptions & { readonly contentType: string },
): Promise<BlobInfo> {
  const op: OpOptions = { ...(o.signal && { signal: o.signal }) }
  const put = async () => {
    try {
      return await blobs.put(key, source, { ...o, mode: 'create' })
    } catch (error) {
      o.signal?.throwIfAborted()
      if (!isIvcapError(error) || !(error.retryable || error.code === 'already-exists')) throw error
      const there = await findBytes(blobs, key, op)
      if (there === undefined) throw error
      return there
    }
  }
  const info = await retry(put, { ...o, retries: source.replayable ? o.retries : 0 })
  if (source.size === undefined || source.size === info.size) return info
  throw new IvcapError(
    'integrity',
    `${info.size} bytes arrived at ${key}, not ${source.size}: upload them again`,
    {
      resource: key,
    },
  )
}

/** What is at the key; undefined if nothing is. */
export async function findBytes(blobs: BlobStore, key: string, o: OpOptions): Promise<BlobInfo | undefined> {
  try {
    return await blobs.head(key, o)
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return undefined
    throw error
  }
}
