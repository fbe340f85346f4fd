import type { BlobStore } from '@ivcap/core/driver'
import { type Bucket, head } from './bucket.js'
import type { BucketDriver } from './driver.js'
import { list, remove, removeMany } from './list.js'
import { put } from './put.js'
import { get } from './read.js'
import type { BucketSettings } from './settings.js'
import { abortStaleUploads, type StaleUploadsOptions } from './unfinished.js'

export interface BucketBlobs extends BlobStore {
  /**
   * Aborts the unfinished uploads below the prefix that began before a time, e.g. of crashed processes. Unfinished uploads are
   * invisible and cost money. Resolves to their number; 0 if the server removes them by itself.
   */
  abortStaleUploads(o: StaleUploadsOptions): Promise<number>
  /** Closes the connections, unless the caller provided the client. */
  close(): void
}

/** Stores blobs in a bucket: `<prefix>/<key>`. Sends no request yet. */
export function bucketBlobs(driver: BucketDriver, settings: BucketSettings): BucketBlobs {
  const { prefix } = settings
  const uri = `${driver.uri}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`
  const bucket: Bucket = { ...settings, driver, uri, known: { exists: false } }
  const { bulkDelete, uploads } = driver
  const unfinished = uploads.kind === 'parts' ? uploads.unfinished : undefined
  return {
    uri,
    atomicCreate: driver.atomicCreate,
    put: (key, body, o) => put(bucket, key, body, o),
    head: async (key, o) => (await head(bucket, key, o)).info,
    get: (key, o) => get(bucket, key, o),
    list: (q, o) => list(bucket, q, o),
    delete: (key, o) => remove(bucket, key, o),
    ...(bulkDelete && { deleteMany: (keys, o) => removeMany(bucket, bulkDelete, keys, o) }),
    abortStaleUploads: async (o) => (unfinished ? await abortStaleUploads(bucket, unfinished, o) : 0),
    close: () => driver.close(),
  }
}
