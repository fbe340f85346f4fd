/** Artifacts in Google Cloud Storage. */

export { type GcsArtifactsOptions, type GcsBackendOptions, gcsArtifacts, gcsBackend } from './backend.js'
export { type GcsBlobs, gcsBlobs } from './blobs.js'
export type { GcsOptions } from './options.js'
