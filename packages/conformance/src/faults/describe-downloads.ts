import type { BlobContent, BlobStore } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { bytesOf, put } from '../support/blobs.js'
import { expectBytes, someBytes } from '../support/bytes.js'
import type { Fault, Plan } from './proxy/fault.js'
import type { FaultProxy } from './proxy/proxy.js'

/** A new, empty store on a server. */
export interface ProxiedBlobs {
  /** The store through the proxy. */
  readonly blobs: BlobStore
  /** The same store without the proxy. */
  readonly direct: BlobStore
  readonly proxy: FaultProxy
}

export interface DownloadOptions {
  /** Bytes per request of a download in parts. Must be so large that a part is not delivered in one chunk. */
  readonly partSize: number
  /** The response of the server when it is overloaded. */
  readonly busy: Fault & { readonly kind: 'status' }
  /** Opens a store that is removed when the test ends. */
  open(plan?: Plan, o?: { readonly concurrency?: number }): Promise<ProxiedBlobs>
}

/** More than the connections of a client: if unread bodies kept their connections, the next download would be blocked. */
const LEFT = 60
const PATIENCE_MS = 10_000

/** Registers the tests of downloads from a server over a faulty connection. Call it from a vitest file. */
export function describeDownloads(name: string, { partSize, busy, open }: DownloadOptions): void {
  /** So slow that the rest is downloaded in parts. It pauses after the first delivered bytes: small pieces may be too fast. */
  const slow: Fault = { kind: 'pause', after: Math.floor(0.8 * partSize), ms: 200 }
  /** Four parts. */
  const large = someBytes(Math.floor(3.6 * partSize))
  const expectLarge = async (blobs: BlobStore) => expectBytes(await bytesOf(blobs, 'key'), large)

  describe(`${name}: downloads`, { timeout: 300_000 }, () => {
    const faults: readonly [string, Fault][] = [
      ['breaks off at once', { kind: 'cut-answer', after: 0, how: 'reset' }],
      ['breaks off within a piece', { kind: 'cut-answer', after: 100_001, how: 'reset' }],
      ['breaks off late', { kind: 'cut-answer', after: Math.floor(0.6 * partSize) + 1, how: 'reset' }],
      ['ends early', { kind: 'cut-answer', after: Math.floor(0.2 * partSize), how: 'end' }],
      ['loses its answer', { kind: 'lose-answer' }],
      ['comes in small pieces', { kind: 'dribble', bytes: 3_001 }],
      ['is told to slow down', busy],
    ]
    describe.each([
      ['by a connection that may be fast', undefined],
      ['by one that is slow, and so in parts', slow],
    ])('%s', (_, pace) => {
      // known failure: short-without-length, hang
      it.each(faults)('is whole although any one of its requests %s', async (_, fault) => {
        let faulty = -1
        let count = 1
        const plan = () => {
          const n = count++
          if (n === faulty) return fault
          return n === 0 ? pace : undefined
        }
        const { blobs, direct, proxy } = await open(plan)
        await put(direct, 'key', large)
        for (faulty = 0; faulty < count; faulty++) {
          count = 0
          await expectLarge(blobs)
        }
        expect(faulty).toBeGreaterThanOrEqual(pace ? 4 : 2)
        await until(() => proxy.open === 0)
      })
    })

    // known failure: no-download-resume
    it.each([
      ['where it goes by one connection', undefined],
      ['where it goes in parts', slow],
    ])('goes on where it broke off, with what is missing alone, %s', async (_, pace) => {
      const after = Math.floor(0.4 * partSize)
      const broken: Fault = { kind: 'cut-answer', after, how: 'reset' }
      const { blobs, direct, proxy } = await open((_, n) => [pace, broken][n])
      await put(direct, 'key', large)
      await expectLarge(blobs)
      const asked = proxy.seen.map(({ headers }) => rangeOf(headers.range, large.byteLength))
      const second = asked[1] ?? expect.unreachable()
      const again = asked.slice(2).find(({ start, end }) => start > second.start && end === second.end)
      if (again === undefined) return expect.unreachable('nothing was asked for again')
      expect(again.start).toBeLessThanOrEqual(second.start + after)
      const bytes = asked.reduce((sum, { start, end }) => sum + end - start, 0)
      expect(bytes).toBe(large.byteLength + again.end - again.start)
    })

    it('one after the other go by the same connection', async () => {
      const { blobs, direct, proxy } = await open()
      await put(direct, 'key', 'content')
      for (let n = 0; n < 5; n++) expect(String(await bytesOf(blobs, 'key'))).toBe('content')
      expect(proxy.connections).toBe(1)
    })

    it('of a blob that is written over meanwhile: the old bytes, then an error', async () => {
      const { blobs, direct, proxy } = await open(undefined, { concurrency: 1 })
      await put(direct, 'key', large)
      const reader = (await blobs.get('key', {})).body.getReader()
      await reader.read()
      await put(direct, 'key', someBytes(large.byteLength, 2), { mode: 'overwrite' })
      const rest = (async () => {
        while (!(await reader.read()).done);
      })()
      await expect(rest).rejects.toMatchObject({ code: 'precondition-failed', retryable: false })
      await until(() => proxy.open === 0)
    })

    // known failure: unread-bodies
    it.each<[string, (body: BlobContent['body'], caller: AbortController) => Promise<unknown>]>([
      ['cancelled unread', (body) => body.cancel()],
      ['aborted unread', async (_, caller) => caller.abort()],
      [
        'cancelled while they are read',
        async (body) => {
          const reader = body.getReader()
          await reader.read()
          await reader.cancel()
        },
      ],
      [
        'aborted while they are read',
        async (body, caller) => {
          const reader = body.getReader()
          await reader.read()
          caller.abort()
          await reader.closed.catch(() => {})
        },
      ],
    ])(`after ${LEFT} that were %s the next one starts at once`, async (_, leave) => {
      const { blobs, direct, proxy } = await open()
      await put(direct, 'key', large)
      for (let n = 0; n < LEFT; n++) {
        const caller = new AbortController()
        const { body } = await blobs.get('key', { signal: caller.signal })
        await leave(body, caller)
      }
      await until(() => proxy.open === 0)
      const start = performance.now()
      const reader = (await blobs.get('key', {})).body.getReader()
      expect((await reader.read()).done).toBe(false)
      expect(performance.now() - start).toBeLessThan(5_000)
      await reader.cancel()
    })
  })
}

function rangeOf(header = '', size: number): { readonly start: number; readonly end: number } {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? []
  return { start: Number(first), end: Math.min(Number(last) + 1, size) }
}

/** Resolves as soon as the condition holds. */
async function until(so: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!so()) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS} ms in vain for: ${so}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
