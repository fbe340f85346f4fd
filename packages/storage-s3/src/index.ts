/** Artifacts and aspects in S3, and in servers that speak its protocol. */

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
 * Blobs in a bucket: `<prefix>/<key>`. On AWS any creation is atomic; other servers, such as Ceph, do not keep the condition
 * when a multipart upload completes, so there it is atomic for blobs of up to one part (`atomicCreate: 'single-put'`).
 *
 * @throws IvcapError `invalid-argument`; no request is sent yet
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
 * Artifacts whose bytes are in a bucket, while another store keeps their records: the fast path inside a platform's network.
 * Its connections are closed by its own `close()`, not by the client's.
 *
 * @example
 * new Ivcap({ ...platform, artifacts: s3Artifacts({ bucket, aspects: platform.aspects }) })
 */
export function s3Artifacts(o: S3ArtifactsOptions): Closable<ArtifactStore> {
  const names = { ...OPTIONS, ...RECORD_OPTIONS, aspects: true } as const
  return bucketArtifacts('s3', s3Blobs, checkOptions(o, names, 's3Artifacts'))
}
