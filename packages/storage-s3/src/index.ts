/** Artifacts in S3 and what speaks it. */

export { type S3ArtifactsOptions, type S3BackendOptions, s3Artifacts, s3Backend } from './backend.js'
export { type S3Blobs, s3Blobs } from './blobs.js'
export type { S3Options } from './options.js'
export type { SweepOptions } from './sweep.js'
