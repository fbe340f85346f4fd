import { type BlobStore, checkOptions } from '@ivcap/core/driver'
import { connectionOf } from './connection.js'
import { get } from './get.js'
import { head } from './info.js'
import { list, remove } from './list.js'
import { type GcsOptions, OPTIONS, settingsOf } from './options.js'
import type { Place } from './place.js'
import { put } from './put.js'

export interface GcsBlobs extends BlobStore {
  /** Closes the connections. */
  close(): void
}

/**
 * Blobs in a bucket: `<prefix>/<key>`.
 *
 * @throws IvcapError `invalid-argument`; nothing is asked of the server yet
 */
export function gcsBlobs(options: GcsOptions): GcsBlobs {
  const o = checkOptions(options, OPTIONS, 'gcsBlobs')
  const settings = settingsOf(o)
  const { close, ...connection } = connectionOf(o)
  const uri = `gs://${settings.bucket}${settings.prefix === '' ? '' : `/${settings.prefix.slice(0, -1)}`}`
  const place: Place = { ...settings, ...connection, uri, known: { exists: false } }
  return {
    uri,
    atomicCreate: 'always',
    put: (key, body, options) => put(place, key, body, options),
    head: async (key, options) => (await head(place, key, options)).info,
    get: (key, options) => get(place, key, options),
    list: (q, options) => list(place, q, options),
    delete: (key, options) => remove(place, key, options),
    close,
  }
}
