/** A blob store in a bucket: the code that S3, Google Cloud Storage and similar services share. */

export {
  type ArtifactsOptions,
  bucketArtifacts,
  bucketBackend,
  type Closable,
  RECORD_OPTIONS,
  type RecordOptions,
} from './backend.js'
export { WRITER } from './bucket.js'
export {
  CONNECT_TIMEOUT,
  type Connections,
  IDLE_TIMEOUT,
  openConnections,
  switchedProtocols,
} from './connections.js'
export type * from './driver.js'
export {
  ALTERED,
  BUSY,
  CHANGED,
  connectionMapping,
  FAILED,
  INVALID_BUCKET_NAME,
  MISSING,
  missingBucket,
  NOT_IMPLEMENTED,
  statusMapping,
  unconditional,
} from './errors.js'
export { BUCKET_OPTIONS, type BucketOptions, bucketSettings, checkEndpoint, MiB } from './settings.js'
export { type BucketBlobs, bucketBlobs } from './store.js'
export type { StaleUploadsOptions } from './unfinished.js'
