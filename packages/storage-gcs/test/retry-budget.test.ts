import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expectContent, ivcapErrorOf, keysOf, quickTransfer, someBytes } from '@ivcap/conformance/fault-proxy'
import { Ivcap } from '@ivcap/core'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type GcsOptions, gcsBackend, gcsBlobs } from '../src/index.js'
import { gcsServer } from './support/gcs.js'
import { KiB, proxied } from './support/proxied.js'

const server = await gcsServer()

interface Seen {
  readonly method: string
  readonly url: URL
}
type Reply =
  | 'reset'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: object }

/** A server that answers what the script says. */
async function scripted(script: (seen: Seen, n: number) => Reply) {
  const seen: Seen[] = []
  const server = createServer((req, res) => {
    req.resume()
    req.on('end', () => {
      const one = { method: req.method ?? '', url: new URL(req.url ?? '/', 'http://x') }
      const reply = script(one, seen.push(one) - 1)
      if (reply === 'reset') return void res.socket?.resetAndDestroy()
      res.writeHead(reply.status, reply.headers)
      res.end(JSON.stringify(reply.body ?? { error: { message: 'as the test has it' } }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const options: GcsOptions = {
    bucket: 'bucket',
    apiEndpoint: `http://127.0.0.1:${port}`,
    retries: 2,
    retryDelay: 1,
    partSize: 256 * KiB,
  }
  const blobs = gcsBlobs(options)
  const backend = gcsBackend(options)
  onTestFinished(() => {
    blobs.close()
    void backend.close()
    server.closeAllConnections()
    server.close()
  })
  return { blobs, backend, seen }
}

describe('one budget of retries', () => {
  it.each<[string, Reply, RegExp]>([
    ['is busy', { status: 503 }, /busy.*503/],
    ['fails', { status: 500 }, /failed.*500/],
    ['closes its connections', 'reset', /ECONNRESET/],
  ])('of a server that %s', async (_, reply, words) => {
    const { blobs, backend, seen } = await scripted(() => reply)
    const ivcap = new Ivcap(backend, { stateDir: false })
    for (const [call, extra] of [
      [() => blobs.head('key', {}), 0],
      [() => blobs.get('key', {}), 0],
      [() => blobs.list({ prefix: '', limit: 1 }, {}), 0],
      [() => blobs.delete('key', {}), 0],
      // one look at what became of it
      [() => blobs.put('key', contentSource('x'), { mode: 'create' }), 1],
      [() => blobs.put('key', contentSource(someBytes(600 * KiB)), { mode: 'create' }), 0],
      // that look, the engine's, and what is cleared away
      [() => ivcap.uploadArtifact({ name: 'a', content: 'x', retries: 2, retryDelay: 1 }), 3],
    ] as const) {
      seen.length = 0
      const error = await ivcapErrorOf(call())
      expect(error.attempts).toBe(3)
      expect(error.message).toMatch(words)
      expect(seen.length).toBeGreaterThanOrEqual(3)
      expect(seen.length, String(call)).toBeLessThanOrEqual(3 + extra)
    }
  })

  it('without conditional writes: unsupported, at once', async () => {
    const { blobs, seen } = await scripted(() => ({ status: 501 }))
    const error = await ivcapErrorOf(blobs.put('key', contentSource('x'), { mode: 'create' }))
    expect(error).toMatchObject({ code: 'unsupported', retryable: false })
    expect(error.message).toContain('conditional writes')
    expect(seen).toHaveLength(1)
  })

  it('without permission to list: the permission is named', async () => {
    const { blobs } = await scripted(() => ({ status: 403 }))
    expect((await ivcapErrorOf(blobs.head('key', {}))).message).toContain('storage.objects.list')
    expect((await ivcapErrorOf(blobs.list({ prefix: '', limit: 1 }, {}))).message).toContain(
      'storage.objects.list',
    )
  })
})

describe('listings', () => {
  const item = (name: string) => ({ name, size: '1', generation: '1' })
  const all = { prefix: '', limit: 10 } as const

  it('an empty page that is not the last: its token leads on', async () => {
    const { blobs } = await scripted(({ url }) => {
      const token = url.searchParams.get('pageToken')
      if (token === 'two') return { status: 200, body: { items: [item('a')] } }
      return { status: 200, body: { nextPageToken: token === 'one' ? 'two' : 'one' } }
    })
    expect(await keysOf(blobs)).toEqual(['a'])
  })

  it.each<[string, (n: number) => object]>([
    ['gives the same token again', () => ({ nextPageToken: 'same' })],
    ['gives two tokens in turn', (n) => ({ nextPageToken: `token ${n % 2}` })],
    ['gives the same keys again', () => ({ items: [item('a')], nextPageToken: 'same' })],
  ])('a server that %s is told as protocol', async (_, body) => {
    const { blobs, seen } = await scripted((_, n) => ({ status: 200, body: body(n) }))
    const error = await ivcapErrorOf(blobs.list(all, {}))
    expect(error).toMatchObject({ code: 'protocol', retryable: false })
    expect(seen.length).toBeLessThanOrEqual(3)
  })
})

describe.runIf(server)('a last piece without an answer', { timeout: 60_000 }, () => {
  if (server === undefined) return
  const LARGE = someBytes(600 * KiB)

  it('that the server takes after the client gave up: it succeeded', async () => {
    let giveUp = () => {}
    const givenUp = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const { blobs, direct, proxy } = await proxied(server, ({ method, headers }) => {
      if (method === 'PUT' && /\/\d+$/.test(headers['content-range'] ?? ''))
        return { kind: 'late', ms: 0, until: givenUp }
      if (method !== 'DELETE') return undefined
      giveUp()
      return { kind: 'hold', until: () => proxy.settled() }
    })
    const info = await blobs.put('key', contentSource(LARGE), { ...quickTransfer, retries: 0 })
    expect(await direct.head('key', {})).toEqual(info)
    await expectContent(direct, 'key', LARGE)
  })
})
