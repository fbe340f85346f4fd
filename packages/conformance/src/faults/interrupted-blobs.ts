import { type BlobStore, IvcapError } from '@ivcap/core/driver'

/** A blob store that answers `calls` calls and then none: what a process that was killed there has left is behind it. */
export function interruptedBlobs(
  blobs: BlobStore,
  calls: number,
): { blobs: BlobStore; wasCut: () => boolean } {
  let left = calls
  let cut = false
  const count =
    <A extends readonly unknown[], T>(run: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (left-- > 0) return run(...args)
      cut = true
      throw new IvcapError('unavailable', 'the process is no more (a fault of the test)', {
        retryable: false,
      })
    }
  return {
    wasCut: () => cut,
    blobs: {
      uri: blobs.uri,
      atomicCreate: blobs.atomicCreate,
      put: count(blobs.put),
      head: count(blobs.head),
      get: count(blobs.get),
      list: count(blobs.list),
      delete: count(blobs.delete),
    },
  }
}

/** A blob store that makes a caller's signal abort just before it carries out a call: the one after `calls` others. */
export function abortingBlobs(blobs: BlobStore, calls: number, caller: AbortController): BlobStore {
  let left = calls
  const count =
    <A extends readonly unknown[], T>(run: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> => {
      if (left-- === 0) caller.abort(new Error(`enough after ${calls} calls`))
      return run(...args)
    }
  return {
    uri: blobs.uri,
    atomicCreate: blobs.atomicCreate,
    put: count(blobs.put),
    head: count(blobs.head),
    get: count(blobs.get),
    list: count(blobs.list),
    delete: count(blobs.delete),
  }
}
