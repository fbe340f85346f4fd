/** Artifacts and aspects in S3, and in servers that implement its protocol. */

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
import { s3Driver } from './driver.js'
import { OPTIONS, PARTS, type S3Options } from './options.js'

export type { StaleUploadsOptions } from '@ivcap/storage-common'
export type { S3Options } from './options.js'

export interface S3BackendOptions extends S3Options, RecordOptions {}
export interface S3ArtifactsOptions extends S3Options, ArtifactsOptions {}
export interface S3Blobs extends BucketBlobs {}

/**
 * Stores blobs in a bucket: `<prefix>/<key>`. On AWS any creation is atomic. Other servers, such as Ceph, ignore the condition
 * when a multipart upload completes: there, creation is atomic only for blobs of up to one part (`atomicCreate: 'single-put'`).
 * Sends no request yet.
 *
 * @throws IvcapError `invalid-argument`
 */
export function s3Blobs(options: S3Options): S3Blobs {
  const o = checkOptions(options, OPTIONS, 's3Blobs')
  const settings = bucketSettings(o, PARTS)
  return bucketBlobs(s3Driver(o), settings)
}

/** Artifacts and aspects in a bucket. Any number of processes may work on it at once. */
export function s3Backend(o: S3BackendOptions): Closable<Backend> {
  return bucketBackend('s3', s3Blobs, checkOptions(o, { ...OPTIONS, ...RECORD_OPTIONS }, 's3Backend'))
}

/**
 * Artifacts whose bytes are in a bucket and whose records are in another store: the fast path inside a platform's network. Its
 * own `close()` closes its connections; the client's `close()` does not.
 *
 * @example new Ivcap({ ...platform, artifacts: s3Artifacts({ bucket, aspects: platform.aspects }) })
 */
export function s3Artifacts(o: S3ArtifactsOptions): Closable<ArtifactStore> {
  const names = { ...OPTIONS, ...RECORD_OPTIONS, aspects: true } as const
  return bucketArtifacts('s3', s3Blobs, checkOptions(o, names, 's3Artifacts'))
}
