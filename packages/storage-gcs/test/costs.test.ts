import { describeCosts } from '@ivcap/conformance'
import { bytesOf, quickTransfer } from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { type GcsBlobs, gcsBlobs } from '../src/index.js'
import { freshPlace, gcsServer } from './support/gcs.js'
import { proxied } from './support/proxied.js'

const server = await gcsServer()

describe.runIf(server)('costs', { timeout: 60_000 }, () => {
  if (server === undefined) return
  let blobs: GcsBlobs | undefined
  const open = async () => {
    blobs = gcsBlobs(await freshPlace(server))
    return blobs
  }
  describeCosts('queries in a bucket', { open, close: async () => blobs?.close(), aspects: 20 })

  it('each call is one request', async () => {
    const { blobs, proxy } = await proxied(server)
    for (const call of [
      () => blobs.put('key', contentSource('x'), quickTransfer),
      () => blobs.put('key', contentSource('x'), quickTransfer).catch(() => {}),
      () => blobs.put('key', contentSource('x'), { ...quickTransfer, mode: 'overwrite' }),
      () => blobs.head('key', {}),
      () => bytesOf(blobs, 'key'),
      () => blobs.get('nothing', {}).catch(() => {}),
      () => blobs.list({ prefix: '', limit: 1000 }, {}),
      () => blobs.list({ prefix: '', limit: 1000, delimiter: '/' }, {}),
      () => blobs.delete('key', {}),
    ]) {
      const before = proxy.seen.length
      await call()
      expect(proxy.seen.length - before, String(call)).toBe(1)
    }
  })
})
