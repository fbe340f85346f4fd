import { IvcapError, isIvcapError } from '../model/errors.js'
import type { BlobInfo, ByteSource, OpOptions, TransferOptions } from '../ports.js'
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
      const there = await find()
      if (there === undefined) throw error
      return there
    }
  }
  const find = async () => {
    try {
      return await blobs.head(key, op)
    } catch (error) {
      if (isIvcapError(error, 'not-found')) return undefined
      throw error
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
