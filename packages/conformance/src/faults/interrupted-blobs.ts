import { type BlobStore, IvcapError } from '@ivcap/core/driver'

/**
 * Wraps a blob store, carries out `calls` calls, and fails all further ones. The wrapped store is then in the state that a process
 * killed at this point would leave.
 */
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

/** Wraps a blob store. After `calls` calls, it aborts the caller's signal just before it carries out the next one. */
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
