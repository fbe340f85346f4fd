import { describe, expect, it } from 'vitest'
import { someBytes } from '../support/bytes.js'
import { expectContent, keysOf, oneShot, quickTransfer, until } from './bucket-support.js'
import type { ProxiedBlobs } from './describe-downloads.js'
import type { Fault, Plan, Seen } from './proxy/fault.js'

/** A new, empty store on a server. */
export interface ProxiedUploads extends ProxiedBlobs {
  /** Returns the number of uploads that were started and neither completed nor aborted. */
  unfinished(): number | Promise<number>
}

export interface UploadOptions {
  /** Sizes of contents in bytes, by how they are uploaded, e.g. in one request or in several parts. */
  readonly contents: Readonly<Record<string, number>>
  /** Responses by which the server refuses a request that may be retried. */
  readonly refusals: readonly (readonly [string, Fault])[]
  /** Predicates of requests. For each one, a test makes all matching requests of an upload fail permanently. */
  readonly persistent: readonly ((seen: Seen) => boolean)[]
  /** True if an upload stays after the response to its first request was lost, because the server can't list it. */
  readonly forgetsUploads: boolean
  /** Opens a store that is removed when the test ends. */
  open(plan?: Plan): Promise<ProxiedUploads>
}

/** More requests than an upload sends. */
const ENOUGH = 16

/** Registers the tests of uploads to a server over a faulty connection. Call it from a vitest file. */
export function describeUploads(
  name: string,
  { contents, refusals, persistent, forgetsUploads, open }: UploadOptions,
): void {
  const faults: readonly (readonly [string, Fault])[] = [
    ['loses its answer', { kind: 'lose-answer' }],
    ['is reset before its body', { kind: 'reset', after: 0 }],
    ['is reset in its body', { kind: 'reset', after: 60_000 }],
    ['meets a gateway', { kind: 'status', status: 502, body: '<html>Bad Gateway</html>' }],
    ...refusals,
  ]
  const expectFinished = async ({ unfinished }: ProxiedUploads, n: number) =>
    expect(await unfinished()).toBeLessThanOrEqual(forgetsUploads && n === 0 ? 1 : 0)

  describe.each(Object.entries(contents))(`${name}: an upload of %s`, { timeout: 60_000 }, (_, size) => {
    const bytes = someBytes(size)

    // known failure: one-drop, committed-twice
    it.each(faults)('succeeds, once, although any one of its requests %s', async (_, fault) => {
      for (let n = 0; n < ENOUGH; n++) {
        const place = await open((_, i) => (i === n ? fault : undefined))
        const { blobs, direct, proxy } = place
        const info = await blobs.put('key', oneShot(bytes), quickTransfer)
        expect(info.etag).not.toContain('"')
        expect(await direct.head('key', {})).toEqual(info)
        await expectContent(direct, 'key', bytes)
        await expectFinished(place, n)
        if (proxy.seen.length <= n) return
      }
      expect.fail('it never ran without a fault')
    })

    // known failure: stranded-parts
    it('leaves nothing when a fault stays', async () => {
      for (const [, fault] of faults) {
        for (const isHit of persistent) {
          const place = await open((seen) => (isHit(seen) ? fault : undefined))
          const { blobs, direct } = place
          const put = blobs.put('key', oneShot(bytes), { ...quickTransfer, retries: 1 })
          const outcome = await put.catch(() => undefined)
          expect(await keysOf(direct)).toEqual(outcome === undefined ? [] : ['key'])
          if (outcome !== undefined) await expectContent(direct, 'key', bytes)
          if (!forgetsUploads) await expectFinished(place, 0)
        }
      }
    })

    it('aborted at any of its requests: nothing is there, or all of it', async () => {
      for (let n = 0; n < ENOUGH; n++) {
        const caller = new AbortController()
        const place = await open((_, i) => {
          if (i === n) caller.abort(new Error('enough'))
          return undefined
        })
        const { blobs, direct, proxy } = place
        const put = blobs.put('key', oneShot(bytes), { ...quickTransfer, signal: caller.signal })
        const error: unknown = await put.then(
          () => undefined,
          (e: unknown) => e,
        )
        if (error === undefined) await expectContent(direct, 'key', bytes)
        else {
          expect(error).toBe(caller.signal.reason)
          expect(await keysOf(direct)).toEqual([])
        }
        await expectFinished(place, n)
        await until(() => proxy.open === 0)
        if (!caller.signal.aborted) return
      }
      expect.fail('it was aborted for ever')
    })
  })
}
