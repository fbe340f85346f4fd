import { describeCosts } from '@ivcap/conformance'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { s3Blobs } from '../src/index.js'
import { bytesOf, transfer } from './support/content.js'
import { proxied } from './support/proxied.js'
import { clearPlace, freshPlace, s3Server } from './support/s3.js'

const server = await s3Server()

describe.runIf(server)('costs', () => {
  if (server === undefined) return
  const place = freshPlace(server)
  const blobs = s3Blobs(place)
  const close = async () => {
    blobs.close()
    await clearPlace(place)
  }
  describeCosts('queries in a bucket', { open: async () => blobs, close, aspects: 20 })

  it('each call is one request', async () => {
    const { blobs, proxy } = await proxied(server)
    for (const call of [
      () => blobs.put('key', contentSource('x'), transfer),
      () => blobs.put('key', contentSource('x'), transfer).catch(() => {}),
      () => blobs.put('key', contentSource('x'), { ...transfer, mode: 'overwrite' }),
      () => blobs.head('key', {}),
      () => bytesOf(blobs, 'key'),
      () => blobs.get('nothing', {}).catch(() => {}),
      () => blobs.list({ prefix: '', limit: 1000 }, {}),
      () => blobs.delete('key', {}),
    ]) {
      const before = proxy.seen.length
      await call()
      expect(proxy.seen.length - before, String(call)).toBe(1)
    }
  })
})
