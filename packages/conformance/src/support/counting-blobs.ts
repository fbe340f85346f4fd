import type { BlobStore } from '@ivcap/core/driver'

/** Number of calls of each kind. */
export type Requests = Record<'put' | 'head' | 'get' | 'list' | 'delete', number>

export const none = (): Requests => ({ put: 0, head: 0, get: 0, list: 0, delete: 0 })

/** Wraps a blob store and counts its calls. */
export function countingBlobs(blobs: BlobStore): { readonly blobs: BlobStore; readonly requests: Requests } {
  const requests = none()
  const counting =
    <A extends readonly unknown[], T>(kind: keyof Requests, run: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> => {
      requests[kind]++
      return run(...args)
    }
  return {
    requests,
    blobs: {
      uri: blobs.uri,
      atomicCreate: blobs.atomicCreate,
      put: counting('put', blobs.put),
      head: counting('head', blobs.head),
      get: counting('get', blobs.get),
      list: counting('list', blobs.list),
      delete: counting('delete', blobs.delete),
    },
  }
}
