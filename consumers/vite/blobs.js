import { IvcapError } from '@ivcap/core/driver'

/** The smallest BlobStore: a browser app's own, on Blobs under keys. @returns {import('@ivcap/core/driver').BlobStore} */
export function mapBlobs() {
  const blobs = new Map()
  const found = (key) => blobs.get(key) ?? fail('not-found', key)
  const fail = (code, key) => {
    throw new IvcapError(code, `${key}: ${code}`, { resource: key })
  }
  return {
    uri: 'map:',
    atomicCreate: 'always',
    async put(key, source, { mode, onProgress }) {
      const bytes = new Uint8Array(await new Response(source.open()).arrayBuffer())
      if (mode === 'create' && blobs.has(key)) fail('already-exists', key)
      const info = { key, size: bytes.length, etag: `"${crypto.randomUUID()}"` }
      blobs.set(key, { info, bytes })
      onProgress?.(bytes.length, bytes.length)
      return info
    },
    async head(key) {
      return found(key).info
    },
    async get(key, { range }) {
      const { info, bytes } = found(key)
      const { start, end } = { start: 0, end: info.size, ...range }
      return { info, range: { start, end }, body: new Blob([bytes.subarray(start, end)]).stream() }
    },
    async list({ prefix, startAfter = '', limit }) {
      const keys = [...blobs.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort()
      return { items: keys.slice(0, limit).map((key) => found(key).info), more: keys.length > limit }
    },
    async delete(key) {
      blobs.delete(key)
    },
  }
}
