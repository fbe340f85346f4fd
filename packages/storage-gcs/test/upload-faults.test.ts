import {
  describeUploads,
  expectContent,
  type Fault,
  faultProxy,
  keysOf,
  oneShot,
  quickTransfer,
  someBytes,
  until,
} from '@ivcap/conformance/fault-proxy'
import { contentSource } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { gcsBlobs } from '../src/index.js'
import { freshPlace, gcsServer } from './support/gcs.js'
import { KiB, PART, proxied, refusal } from './support/proxied.js'

const server = await gcsServer()

/** Three pieces, one request. */
const LARGE = someBytes(600 * KiB)
const SMALL = someBytes(100_000)
/** More requests than an upload of either makes. */
const ENOUGH = 16

const isPiece = ({ method }: { method: string }) => method === 'PUT'

describe.runIf(server)('uploads', { timeout: 60_000 }, () => {
  if (server === undefined) return

  describeUploads('GCS', {
    contents: { 'one request': SMALL.byteLength, 'three pieces': LARGE.byteLength },
    refusals: [
      ['is told to slow down', refusal(429, 'rateLimitExceeded')],
      ['meets a server that fails', refusal(503, 'backendError')],
    ],
    persistent: [({ method }) => method === 'PUT' || method === 'POST'],
    // one that was begun by a request that was cut off ends in a week
    forgetsUploads: true,
    open: (plan) => proxied(server, plan),
  })

  it('altered on its way is sent again', async () => {
    for (const bytes of [SMALL, LARGE]) {
      for (let n = 0; n < ENOUGH; n++) {
        const { blobs, direct, proxy } = await proxied(server, (_, i) =>
          i === n ? { kind: 'flip-sent', at: 60_000 } : undefined,
        )
        await blobs.put('key', contentSource(bytes), quickTransfer)
        await expectContent(direct, 'key', bytes)
        if (proxy.seen.length <= n) break
      }
    }
  })

  it('goes on from where the server says that it is', async () => {
    const { blobs, direct, proxy } = await proxied(server, undefined, { quirks: { takesOf: 100 * KiB } })
    await blobs.put('key', oneShot(LARGE), quickTransfer)
    await expectContent(direct, 'key', LARGE)
    const ranges = proxy.seen.filter(isPiece).map(({ headers }) => headers['content-range'])
    const [a, b, c] = [100 * KiB, PART, 2 * PART]
    const end = LARGE.byteLength
    expect(ranges).toEqual([
      `bytes 0-${b - 1}/*`,
      `bytes ${a}-${b - 1}/*`,
      `bytes ${b}-${c - 1}/*`,
      `bytes ${c}-${end - 1}/${end}`,
    ])
  })

  it('after a lost answer sends nothing twice', async () => {
    let lost = false
    const { blobs, proxy } = await proxied(server, ({ headers }) => {
      if (lost || !headers['content-range']?.startsWith(`bytes ${PART}-`)) return undefined
      lost = true
      return { kind: 'lose-answer' }
    })
    await blobs.put('key', oneShot(LARGE), quickTransfer)
    const sent = proxy.seen.filter(isPiece).reduce((sum, { sent }) => sum + sent, 0)
    expect(sent).toBe(LARGE.byteLength)
    expect(proxy.seen.filter(({ headers }) => headers['content-range'] === 'bytes */*')).toHaveLength(1)
  })

  it('begins anew where the server has forgotten it, if the source can be read again', async () => {
    const forgetting = () => {
      let left = 1
      return { forgets: () => proxyPieces() === 2 && left-- > 0 }
    }
    let proxyPieces = () => 0
    for (const replayable of [true, false]) {
      const { blobs, direct, proxy } = await proxied(server, undefined, { quirks: forgetting() })
      proxyPieces = () => proxy.seen.filter(isPiece).length
      const source = replayable ? contentSource(LARGE) : oneShot(LARGE)
      const put = blobs.put('key', source, quickTransfer)
      if (replayable) {
        await put
        await expectContent(direct, 'key', LARGE)
      } else {
        await expect(put).rejects.toMatchObject({ code: 'unavailable', status: 410 })
        expect(await keysOf(direct)).toEqual([])
      }
    }
  })

  it('aborted while a piece is on its way, that is cut off', async () => {
    const caller = new AbortController()
    const second = ({ headers }: { headers: NodeJS.Dict<string | string[]> }) =>
      String(headers['content-range']).startsWith(`bytes ${PART}-`)
    const { blobs, direct, proxy, unfinished } = await proxied(server, (seen) =>
      second(seen) ? { kind: 'stall' } : undefined,
    )
    const put = blobs.put('key', contentSource(LARGE), { ...quickTransfer, signal: caller.signal })
    put.catch(() => {})
    await until(() => proxy.seen.some(second))
    caller.abort(new Error('enough'))
    await expect(put).rejects.toBe(caller.signal.reason)
    await until(() => proxy.open === 0)
    expect(await keysOf(direct)).toEqual([])
    expect(unfinished()).toBe(0)
  })

  it('what fake-gcs-server makes of a part of them is taken back', async () => {
    let lost = false
    const proxy = await faultProxy(server.apiEndpoint, ({ headers }) => {
      if (lost || !headers['content-range']?.startsWith(`bytes ${PART}-`)) return undefined
      lost = true
      return { kind: 'lose-answer' }
    })
    const blobs = gcsBlobs({ ...(await freshPlace(server)), apiEndpoint: proxy.url, partSize: PART })
    const put = blobs.put('key', oneShot(LARGE), quickTransfer)
    await expect(put).rejects.toMatchObject({ code: 'integrity' })
    expect(lost).toBe(true)
    expect(await keysOf(blobs)).toEqual([])
    blobs.close()
  })

  it('what the server made of other bytes is taken back', async () => {
    const short = {
      kind: 'edit',
      edit: (body: string) => body.replace(/"crc32c":"[^"]*"/, '"crc32c":"AAAAAA=="'),
    }
    for (const bytes of [SMALL, LARGE]) {
      const { blobs, direct } = await proxied(server, ({ method }) =>
        method === 'DELETE' ? undefined : { ...short, kind: 'edit' },
      )
      const put = blobs.put('key', contentSource(bytes), quickTransfer)
      await expect(put).rejects.toMatchObject({
        code: 'integrity',
        message: expect.stringContaining('it was removed'),
      })
      expect(await keysOf(direct)).toEqual([])
    }
  })

  it('what can’t be taken back is said, and not taken for the work of others', async () => {
    const wrong: Fault = {
      kind: 'edit',
      edit: (body) => body.replace(/"crc32c":"[^"]*"/, '"crc32c":"AAAAAA=="'),
    }
    for (const bytes of [SMALL, LARGE]) {
      const { blobs } = await proxied(server, ({ method }) =>
        method === 'DELETE' ? refusal(403, 'forbidden') : wrong,
      )
      const put = blobs.put('key', contentSource(bytes), quickTransfer)
      await expect(put).rejects.toMatchObject({ code: 'integrity' })
    }
  })
})
