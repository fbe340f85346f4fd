import { IvcapError, type OpOptions } from '@ivcap/core/driver'
import { allocate, streamHandle } from '@ivcap/core/internal'
import { toIvcapError, withFsErrors } from './fs-error.js'
import { etagOf, type LocalFs, type LocalStat, retryIfTooManyOpen } from './local-fs.js'

/**
 * Returns the bytes from `start` to `end` of the file with this etag. The first read opens the file. The stream fails with
 * `integrity` if the file was replaced or changes before the last byte is read.
 */
export function readPinned(
  fs: LocalFs,
  path: string,
  etag: string,
  range: { readonly start: number; readonly end: number },
  o: OpOptions,
): ReadableStream<Uint8Array> {
  const { signal } = o
  const check = (stat: LocalStat) => {
    if (etagOf(stat) === etag) return
    throw new IvcapError('integrity', `${path} changed while it was read: read it again`, { resource: path })
  }
  const open = async () => {
    const handle = await retryIfTooManyOpen(
      fs,
      () => withFsErrors('open the file', path, undefined, () => fs.open(path, 'r')),
      o,
    )
    try {
      check(await handle.stat({ bigint: true }))
    } catch (e) {
      await handle.close()
      throw e
    }
    return {
      read: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
        try {
          const result = await handle.read(buffer, offset, length, position)
          const atEnd = position + result.bytesRead >= range.end
          if (atEnd || result.bytesRead === 0) check(await handle.stat({ bigint: true }))
          return result
        } catch (e) {
          throw toIvcapError(e, 'read the file', path)
        }
      },
      close: () => handle.close(),
    }
  }
  return streamHandle(open, { ...range, allocate, ...(signal && { signal }) })
}
