import { describeCosts } from '@ivcap/conformance'
import { bytesOf, keysOf, quickTransfer } from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { s3Blobs } from '../src/index.js'
import { proxied } from './support/proxied.js'
import { clearPlace, freshPlace, s3Server } from './support/s3.js'

const server = await s3Server()

const REFUSED =
  '<DeleteResult><Error><Key>key</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>'

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

  it('1,001 keys are deleted by two requests, absent ones among them', async () => {
    const { blobs, direct, proxy } = await proxied(server)
    for (const key of ['a', 'b/c', 'left']) await direct.put(key, contentSource('x'), quickTransfer)
    const absent = Array.from({ length: 999 }, (_, i) => `absent/${i}`)
    await blobs.deleteMany?.(['a', ...absent, 'b/c'], {})
    expect(proxy.seen).toHaveLength(2)
    expect(await keysOf(direct)).toEqual(['left'])
  })

  it('a key that may not be deleted fails the call', async () => {
    const { blobs, direct } = await proxied(server, () => ({ kind: 'edit', edit: () => REFUSED }))
    await direct.put('key', contentSource('x'), quickTransfer)
    const deleting = blobs.deleteMany?.(['key'], {}) ?? expect.unreachable()
    await expect(deleting).rejects.toMatchObject({ code: 'permission-denied', retryable: false })
  })
})
