import { expectContent, quickTransfer, someBytes, until } from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it, vi } from 'vitest'
import { s3Blobs } from '../src/index.js'
import { MiB, proxied } from './support/proxied.js'
import { clientOf, s3Server } from './support/s3.js'

const server = await s3Server()

describe.runIf(server)('connections', () => {
  if (server === undefined) return

  it('of a client that was given are its own, for what is large, too', async () => {
    const { blobs, direct, proxy } = await proxied(server)
    await direct.put('big', contentSource(someBytes(24 * MiB)), quickTransfer)
    const client = clientOf({ ...server, endpoint: proxy.url })
    const sent = vi.spyOn(client.config.requestHandler, 'handle')
    const given = s3Blobs({ ...server, prefix: blobs.uri.split('/').at(-1) ?? '', client, partSize: 5 * MiB })
    await expectContent(given, 'big', someBytes(24 * MiB))
    expect(proxy.seen.length).toBeGreaterThan(1)
    expect(sent).toHaveBeenCalledTimes(proxy.seen.length)
    client.destroy()
  })

  it('are closed with the store, and what they carry with them', async () => {
    const { blobs, direct, proxy } = await proxied(server)
    await direct.put('big', contentSource(someBytes(24 * MiB)), quickTransfer)
    const reader = (await blobs.get('big', {})).body.getReader()
    // beyond the first part
    for (let at = 0; at < 6 * MiB; ) at += (await reader.read()).value?.byteLength ?? 0
    expect(proxy.open).toBeGreaterThan(0)
    blobs.close()
    const rest = (async () => {
      while (!(await reader.read()).done);
    })()
    await expect(rest).rejects.toMatchObject({ code: 'unavailable' })
    await until(() => proxy.open === 0)
  })
})
