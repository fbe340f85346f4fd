/** Artifacts and aspects in Google Cloud Storage. */

import { type ArtifactStore, type Backend, checkOptions } from '@ivcap/core/driver'
import {
  type ArtifactsOptions,
  type BucketBlobs,
  bucketArtifacts,
  bucketBackend,
  bucketBlobs,
  bucketSettings,
  type Closable,
  RECORD_OPTIONS,
  type RecordOptions,
} from '@ivcap/storage-common'
import { gcsDriver } from './driver.js'
import { type GcsOptions, OPTIONS, PARTS } from './options.js'

export type { GcsOptions } from './options.js'

export interface GcsBackendOptions extends GcsOptions, RecordOptions {}
export interface GcsArtifactsOptions extends GcsOptions, ArtifactsOptions {}
export interface GcsBlobs extends BucketBlobs {}

/**
 * Stores blobs in a bucket: `<prefix>/<key>`. Creation is atomic. Sends no request yet.
 *
 * @throws IvcapError `invalid-argument`
 */
export function gcsBlobs(options: GcsOptions): GcsBlobs {
  const o = checkOptions(options, OPTIONS, 'gcsBlobs')
  const settings = bucketSettings(o, PARTS)
  return bucketBlobs(gcsDriver(o), settings)
}

/** Artifacts and aspects in a bucket. Any number of processes may work on it at once. */
export function gcsBackend(o: GcsBackendOptions): Closable<Backend> {
  return bucketBackend('gcs', gcsBlobs, checkOptions(o, { ...OPTIONS, ...RECORD_OPTIONS }, 'gcsBackend'))
}

/**
 * Artifacts whose bytes are in a bucket and whose records are in another store: the fast path inside a platform's network. Its
 * own `close()` closes its connections; the client's `close()` does not.
 *
 * @example new Ivcap({ ...platform, artifacts: gcsArtifacts({ bucket, aspects: platform.aspects }) })
 */
export function gcsArtifacts(o: GcsArtifactsOptions): Closable<ArtifactStore> {
  const names = { ...OPTIONS, ...RECORD_OPTIONS, aspects: true } as const
  return bucketArtifacts('gcs', gcsBlobs, checkOptions(o, names, 'gcsArtifacts'))
}
