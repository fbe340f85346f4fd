import {
  describeUploads,
  expectContent,
  keysOf,
  oneShot,
  quickTransfer,
  type Seen,
  someBytes,
  until,
} from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { MiB, proxied, refusal } from './support/proxied.js'
import { s3Server } from './support/s3.js'

const server = await s3Server()

/** Three parts, two parts, one request. */
const LARGE = someBytes(12 * MiB)
const MIDDLE = someBytes(6 * MiB)
const SMALL = someBytes(100_000)
/** More requests than an upload of either makes. */
const ENOUGH = 12

describe.runIf(server)('uploads', { timeout: 60_000 }, () => {
  if (server === undefined) return

  const isRequest = (method: string) => (seen: Seen) =>
    seen.method === method && !seen.path.includes('?uploads')
  describeUploads('S3', {
    contents: { 'one request': SMALL.byteLength, 'two parts': MIDDLE.byteLength },
    refusals: [
      ['is told to slow down', refusal(503, 'SlowDown')],
      ['meets a server that fails', refusal(500, 'InternalError')],
      ['meets another writer', refusal(409, 'ConditionalRequestConflict')],
    ],
    persistent: [isRequest('PUT'), isRequest('POST')],
    forgetsUploads: false,
    open: (plan) => proxied(server, plan),
  })

  it('aborted while a part is on its way, that part is cut off', async () => {
    const caller = new AbortController()
    const { blobs, direct, proxy, unfinished } = await proxied(server, ({ path }) =>
      path.includes('partNumber=2') ? { kind: 'stall' } : undefined,
    )
    const put = blobs.put('key', contentSource(LARGE), { ...quickTransfer, signal: caller.signal })
    put.catch(() => {})
    await until(() => proxy.seen.some(({ path }) => path.includes('partNumber=2')))
    caller.abort(new Error('enough'))
    await expect(put).rejects.toBe(caller.signal.reason)
    await until(() => proxy.open === 0)
    expect(await keysOf(direct)).toEqual([])
    expect(await unfinished()).toBe(0)
  })

  it('a completion that the server carries out after the client gave up: it succeeded', async () => {
    let giveUp = () => {}
    const givenUp = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const { blobs, direct, proxy, unfinished } = await proxied(server, ({ method, path }) => {
      if (method === 'POST' && path.includes('uploadId')) return { kind: 'late', ms: 0, until: givenUp }
      if (method !== 'DELETE') return undefined
      giveUp()
      return { kind: 'hold', until: () => proxy.settled() }
    })
    const info = await blobs.put('key', oneShot(MIDDLE), { ...quickTransfer, retries: 0 })
    expect(await direct.head('key', {})).toEqual(info)
    await expectContent(direct, 'key', MIDDLE)
    expect(await unfinished()).toBe(0)
  })

  it('a completion that comes to the server after the upload was ended: nothing is there', async () => {
    let giveUp = () => {}
    const givenUp = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const { blobs, direct, proxy, unfinished } = await proxied(server, ({ method, path }) =>
      method === 'POST' && path.includes('uploadId') ? { kind: 'late', ms: 0, until: givenUp } : undefined,
    )
    const put = blobs.put('key', oneShot(MIDDLE), { ...quickTransfer, retries: 0 })
    await expect(put).rejects.toMatchObject({ code: 'unavailable', attempts: 1 })
    giveUp()
    await proxy.settled()
    expect(await keysOf(direct)).toEqual([])
    expect(await unfinished()).toBe(0)
  })

  it('altered on its way is refused by the server, and sent again', async () => {
    for (let n = 0; n < ENOUGH; n++) {
      const { blobs, direct, proxy } = await proxied(server, (_, i) =>
        i === n ? { kind: 'flip-sent', at: 60_000 } : undefined,
      )
      await blobs.put('key', contentSource(SMALL), quickTransfer)
      await expectContent(direct, 'key', SMALL)
      if (proxy.seen.length <= n) return
    }
    expect.fail('it was altered for ever')
  })

  it('only the part that failed is sent again', async () => {
    let failed = false
    const { blobs, proxy } = await proxied(server, ({ path }) => {
      if (failed || !path.includes('partNumber=2')) return undefined
      failed = true
      return { kind: 'reset', after: MiB }
    })
    await blobs.put('key', oneShot(LARGE), quickTransfer)
    const numbers = proxy.seen.flatMap(({ path }) => /partNumber=(\d+)/.exec(path)?.[1] ?? [])
    expect(numbers.sort()).toEqual(['1', '2', '2', '3'])
  })

  it('a server that goes on asking to slow down', async () => {
    const { blobs } = await proxied(server, () => refusal(503, 'SlowDown'))
    const refused = blobs.put('key', contentSource(SMALL), quickTransfer)
    await expect(refused).rejects.toMatchObject({ code: 'rate-limited', retryable: true, status: 503 })
  })

  // known failure: stranded-parts
  it('what a crash has left is swept, and nothing else', async () => {
    const { blobs, direct, unfinished } = await proxied(server, ({ method, path }) =>
      method === 'DELETE' || path.includes('partNumber=3') ? refusal(403, 'AccessDenied') : undefined,
    )
    await expect(blobs.put('key', oneShot(LARGE), quickTransfer)).rejects.toMatchObject({
      code: 'permission-denied',
    })
    expect(await unfinished()).toBe(1)
    expect(await direct.abortStaleUploads({ olderThan: new Date(Date.now() - 3_600_000) })).toBe(0)
    expect(await unfinished()).toBe(1)
    expect(await direct.abortStaleUploads({ olderThan: new Date(Date.now() + 60_000) })).toBe(1)
    expect(await unfinished()).toBe(0)
  })
})
