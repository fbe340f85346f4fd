import { IvcapError, isIvcapError } from '../../model/errors.js'
import type { BlobInfo, BlobStore, ByteSource, OpOptions, TransferOptions } from '../../ports/index.js'
import { afterFailure, retry } from '../../retry/retry.js'
import type { Engine } from '../context.js'

/**
 * Puts the bytes at a key that no other writer uses. After a failure with unknown outcome, checks whether the bytes arrived. If
 * not, sends them again, provided that the source can be read again and the store has not used up the retries. Reports the
 * failure of the upload, never that of the check.
 */
export async function storeBytes(
  { blobs, pause }: Engine,
  key: string,
  source: ByteSource,
  o: OpOptions & TransferOptions & { readonly contentType: string },
): Promise<BlobInfo> {
  const put = async () => {
    try {
      return await blobs.put(key, source, { ...o, mode: 'create' })
    } catch (error) {
      o.signal?.throwIfAborted()
      if (!isIvcapError(error) || !(error.retryable || error.code === 'already-exists')) throw error
      const op = { ...afterFailure(error, o), ...(o.signal && { signal: o.signal }) }
      const there = await findBytes(blobs, key, op).catch(() => undefined)
      o.signal?.throwIfAborted()
      if (there === undefined) throw error
      return there
    }
  }
  const info = await retry(put, { ...o, retries: source.replayable ? o.retries : 0, pause })
  if (source.size === undefined || source.size === info.size) return info
  throw new IvcapError(
    'integrity',
    `${info.size} bytes arrived at ${key}, not ${source.size}: upload them again`,
    {
      resource: key,
    },
  )
}

/** Returns information about the blob; undefined if it does not exist. */
export async function findBytes(blobs: BlobStore, key: string, o: OpOptions): Promise<BlobInfo | undefined> {
  try {
    return await blobs.head(key, o)
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return undefined
    throw error
  }
}
