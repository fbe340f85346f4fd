import { once } from 'node:events'
import { createServer as tcpServer } from 'node:net'
import { ivcapErrorOf } from '@ivcap/conformance/fault-proxy'
import { Ivcap, type IvcapEvent, isIvcapError } from '@ivcap/core'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answer, page, type Reply, type Seen, scripted } from './support/scripted.js'

/** How often the request that was sent most often was sent. */
function mostRepeated(seen: readonly Seen[]): number {
  const counts = new Map<string, number>()
  for (const { method, url } of seen) {
    const name = `${method} ${url.pathname}?${url.searchParams.get('prefix') ?? ''}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Math.max(...counts.values())
}

const isOfLayout = ({ url }: Seen): boolean => url.pathname === '/bucket/layout'

/** More requests than an upload makes. */
const ENOUGH = 20

const faults: readonly [string, Reply][] = [
  ['says that it is busy', answer(503, 'SlowDown')],
  ['fails', answer(500, 'InternalError')],
  ['closes its connections', 'reset'],
]

describe('one budget of retries', () => {
  it.each(faults)('a bucket that %s from any request on: none is repeated beyond it', async (_, fault) => {
    for (const retries of [0, 2]) {
      for (let n = 0; n < ENOUGH; n++) {
        const bucket = await scripted((_, i) => (i >= n ? fault : undefined))
        const ivcap = new Ivcap(bucket.backend(), { stateDir: false })
        const upload = ivcap.uploadArtifact({ name: 'a', content: 'abc', retries, retryDelay: 1 })
        const done = await upload.then(() => true).catch((error: unknown) => error)
        if (done === true) break
        if (!isIvcapError(done)) throw done
        expect(n).toBeLessThan(ENOUGH - 1)
        expect(done.attempts).toBe(retries + 1)
        expect(done.message).toMatch(/503|500|ECONNRESET/)
        // one more asks what became of a write, and reads the layout again if that failed
        const [layout, others] = [
          bucket.seen.filter(isOfLayout),
          bucket.seen.filter((seen) => !isOfLayout(seen)),
        ]
        expect(mostRepeated(others), `${n}, ${retries}`).toBeLessThanOrEqual(Math.max(retries + 1, 2))
        expect(layout.length, `${n}, ${retries}`).toBeLessThanOrEqual(2 * (retries + 2))
      }
    }
  })

  it.each(faults)('of reads, lists and aspects, from a bucket that %s', async (_, fault) => {
    const bucket = await scripted()
    const ivcap = new Ivcap(bucket.backend({ retries: 2 }), { stateDir: false })
    const artifact = await ivcap.uploadArtifact({ name: 'a', content: 'abc' })
    for (const call of [
      async () => {
        for await (const _ of artifact.asStream({ retries: 2, retryDelay: 1 }));
      },
      () => ivcap.getArtifact(artifact.id),
      () => ivcap.listArtifacts().toArray(),
      () => ivcap.listAspects({ entity: artifact.id }).toArray(),
      () => artifact.addMetadata({ $schema: 'urn:example:schema:new.1' }),
      () => ivcap.updateAspect(artifact.id, { $schema: 'urn:example:schema:new.1' }),
    ]) {
      bucket.seen.length = 0
      bucket.script = () => fault
      await ivcapErrorOf(call())
      expect(mostRepeated(bucket.seen), String(call)).toBe(3)
      bucket.script = () => undefined
    }
  })

  it('is told as events, and the first failure is what is thrown', async () => {
    const events: IvcapEvent[] = []
    const bucket = await scripted(({ method }, n) =>
      method === 'PUT' ? (n === 0 ? answer(503, 'SlowDown') : answer(500, 'InternalError')) : undefined,
    )
    const options = { stateDir: false, onEvent: (event: IvcapEvent) => events.push(event) } as const
    const ivcap = new Ivcap(bucket.backend(), options)
    const error = await ivcapErrorOf(
      ivcap.uploadArtifact({ name: 'a', content: 'abc', retries: 2, retryDelay: 1 }),
    )
    expect(error).toMatchObject({ code: 'rate-limited', attempts: 3, status: 503 })
    expect(error.message).toContain('SlowDown')
    expect(events.map(({ kind }) => kind)).toEqual(['retry', 'retry'])
  })

  it('a timeout names what the attempts saw', async () => {
    const bucket = await scripted(() => answer(503, 'SlowDown'))
    const ivcap = new Ivcap(bucket.backend({ retries: 1000, retryDelay: 10 }), { stateDir: false })
    const error = await ivcapErrorOf(ivcap.listArtifacts({ timeout: 300 }).toArray())
    expect(error).toMatchObject({ code: 'timeout' })
    expect(error.message).toContain('SlowDown')
  })

  it('a pause that the bucket asks for reaches the caller', async () => {
    const bucket = await scripted(() => answer(503, 'SlowDown', { 'retry-after': '900' }))
    const error = await ivcapErrorOf(bucket.blobs().head('key', {}))
    expect(error).toMatchObject({ code: 'rate-limited', retryAfter: 900_000 })
    expect(bucket.seen).toHaveLength(1)
  })

  it('a refused connection is not repeated where retries are 0', async () => {
    const server = tcpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('it has a port')
    server.close()
    await once(server, 'close')
    const bucket = await scripted()
    const blobs = bucket.blobs({ endpoint: `http://127.0.0.1:${address.port}`, retries: 0 })
    const error = await ivcapErrorOf(blobs.put('key', contentSource('x'), { mode: 'create' }))
    expect(error).toMatchObject({ code: 'unavailable', attempts: 1 })
    expect(error.message).toContain('connection refused')
  })
})

describe('answers', () => {
  it('without conditional writes: unsupported, and no second attempt', async () => {
    const bucket = await scripted(({ headers }) =>
      headers['if-none-match'] ? answer(501, 'NotImplemented') : undefined,
    )
    for (const write of [
      () => bucket.blobs().put('key', contentSource('x'), { mode: 'create' }),
      () => new Ivcap(bucket.backend()).addAspect('urn:x:1', { $schema: 'urn:x:s' }),
      () => new Ivcap(bucket.backend()).uploadArtifact({ name: 'a', content: 'x' }),
    ]) {
      bucket.seen.length = 0
      const error = await ivcapErrorOf(write())
      expect(error).toMatchObject({ code: 'unsupported', retryable: false })
      expect(error.message).toContain('conditional writes')
      const conditional = bucket.seen.filter((seen) => seen.headers['if-none-match'] && !isOfLayout(seen))
      expect(conditional).toHaveLength(1)
    }
  })

  it('without permission to list: the permission is named', async () => {
    const bucket = await scripted(({ method }) =>
      method === 'PUT' ? undefined : answer(403, 'AccessDenied'),
    )
    for (const read of [
      () => bucket.blobs().head('key', {}),
      () => bucket.blobs().get('key', {}),
      () => bucket.blobs().list({ prefix: '', limit: 1 }, {}),
      () => new Ivcap(bucket.backend()).uploadArtifact({ name: 'a', content: 'x' }),
    ]) {
      const error = await ivcapErrorOf(read())
      expect(error).toMatchObject({ code: 'permission-denied', retryable: false })
      expect(error.message).toContain('s3:ListBucket')
    }
  })

  it('101 is a failure, not a wait without an end', async () => {
    const upgrading = tcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void upgrading.close())
    await once(upgrading, 'listening')
    const address = upgrading.address()
    if (address === null || typeof address === 'string') throw new Error('it has a port')
    const bucket = await scripted()
    const blobs = bucket.blobs({ endpoint: `http://127.0.0.1:${address.port}`, retries: 0 })
    expect(await ivcapErrorOf(blobs.head('key', {}))).toMatchObject({ code: 'protocol' })
    expect(await ivcapErrorOf(blobs.get('key', {}))).toMatchObject({ code: 'protocol' })
  })

  it('credentials that never come: an abort is heard', async () => {
    const bucket = await scripted()
    const blobs = bucket.blobs({ credentials: () => new Promise(() => {}) })
    const stop = new AbortController()
    const looking = blobs.head('key', { signal: stop.signal })
    looking.catch(() => {})
    stop.abort(new Error('enough'))
    await expect(looking).rejects.toBe(stop.signal.reason)
  })
})

describe('listings', () => {
  const all = { prefix: '', limit: 10 } as const

  it('an empty page that is not the last: its token leads on', async () => {
    const bucket = await scripted(({ url }) => {
      const token = url.searchParams.get('continuation-token')
      if (token === null) return page([], true, 'one')
      return token === 'one' ? page([], true, 'two') : page(['a', 'b'], false)
    })
    const { items, more } = await bucket.blobs().list(all, {})
    expect(items.map(({ key }) => key)).toEqual(['a', 'b'])
    expect(more).toBe(false)
    expect(bucket.seen).toHaveLength(3)
  })

  it('a page with keys and without a token: it goes on after the last key', async () => {
    const bucket = await scripted(({ url }) =>
      url.searchParams.has('start-after') ? page(['b'], false) : page(['a'], true),
    )
    const { items } = await bucket.blobs().list(all, {})
    expect(items.map(({ key }) => key)).toEqual(['a', 'b'])
  })

  it.each<[string, (n: number) => Reply]>([
    ['has neither keys nor a token', () => page([], true)],
    ['gives the same token again', () => page([], true, 'same')],
    ['gives two tokens in turn', (n) => page([], true, `token ${n % 2}`)],
    ['gives the same keys again', () => page(['a', 'b'], true, 'token')],
    ['gives keys out of order', (n) => page([`k${9 - n}`], true, `token ${n}`)],
  ])('a server that %s is told as protocol', async (_, reply) => {
    const bucket = await scripted((_, n) => reply(n))
    const error = await ivcapErrorOf(bucket.blobs().list(all, {}))
    expect(error).toMatchObject({ code: 'protocol', retryable: false })
    expect(bucket.seen.length).toBeLessThanOrEqual(3)
  })
})
