import { type BlobStore, checkOptions } from '@ivcap/core/driver'
import { connectionOf } from './connection.js'
import { get } from './get.js'
import { head } from './info.js'
import { list, remove } from './list.js'
import { OPTIONS, type S3Options, settingsOf } from './options.js'
import type { Place } from './place.js'
import { put } from './put.js'
import { type SweepOptions, sweepUploads } from './sweep.js'

export interface S3Blobs extends BlobStore {
  /**
   * Ends the unfinished uploads below the prefix that began before a time: what a crash has left, which nobody sees and
   * which costs money. Resolves with their number.
   */
  sweepUploads(o: SweepOptions): Promise<number>
  /** Closes the connections of the client, unless it was given. */
  close(): void
}

/**
 * Blobs in a bucket: `<prefix>/<key>`. On AWS any creation is atomic; other servers, Ceph for one, don't keep the condition
 * when a multipart upload completes, so there it is for blobs of up to one part (`atomicCreate: 'single-put'`).
 *
 * @throws IvcapError `invalid-argument`; nothing is asked of the server yet
 */
export function s3Blobs(options: S3Options): S3Blobs {
  const o = checkOptions(options, OPTIONS, 's3Blobs')
  const settings = settingsOf(o)
  const { close, ...connection } = connectionOf(o)
  const uri = `s3://${settings.bucket}${settings.prefix === '' ? '' : `/${settings.prefix.slice(0, -1)}`}`
  const place: Place = { ...settings, ...connection, uri, known: { exists: false } }
  return {
    uri,
    atomicCreate: place.aws ? 'always' : 'single-put',
    put: (key, body, options) => put(place, key, body, options),
    head: async (key, options) => (await head(place, key, options)).info,
    get: (key, options) => get(place, key, options),
    list: (q, options) => list(place, q, options),
    delete: (key, options) => remove(place, key, options),
    sweepUploads: (options) => sweepUploads(place, options),
    close,
  }
}
