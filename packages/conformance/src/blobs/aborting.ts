import type { BlobStore, OpOptions } from '@ivcap/core/driver'
import { beforeEach, describe, expect, it } from 'vitest'
import { bytesOf, keysOf, put } from '../support/blobs.js'
import { chunksOf, expectBytes, MiB, someBytes, streamFrom, streamOf } from '../support/bytes.js'
import { rejectionOf } from '../support/expect-error.js'
import type { BlobPlace } from './place.js'

const content = someBytes(6 * MiB)

const operations: Readonly<Record<string, (b: BlobStore, o: OpOptions) => Promise<unknown>>> = {
  'put of bytes': (b, o) => put(b, 'new', content, o),
  'put of a stream': (b, o) => put(b, 'new', streamOf(content), o),
  'put over another': (b, o) => put(b, 'known', 'other', { ...o, mode: 'overwrite' }),
  head: (b, o) => b.head('known', o),
  get: (b, o) => b.get('known', o),
  list: (b, o) => b.list({ prefix: '', limit: 10 }, o),
  delete: (b, o) => b.delete('known', o),
}

/** An aborted operation must reject with the caller's own reason and must change nothing. */
export function aborting(place: BlobPlace): void {
  beforeEach(async () => {
    await put(place.at, 'known', content)
  })
  const nothingChanged = async () => {
    expect(await keysOf(place.at)).toEqual(['known'])
    expectBytes(await bytesOf(place.at, 'known'), content)
  }

  describe.each(Object.entries(operations))('%s', (_, run) => {
    it('aborted before it begins', async () => {
      const reason = { any: 'value may be a reason' }
      expect(await rejectionOf(run(place.at, { signal: AbortSignal.abort(reason) }))).toBe(reason)
      await nothingChanged()
    })

    it('aborted as soon as it has begun', async () => {
      const caller = new AbortController()
      const running = rejectionOf(run(place.at, { signal: caller.signal }))
      caller.abort(new Error('changed my mind'))
      expect(await running).toBe(caller.signal.reason)
      await nothingChanged()
    })
  })

  it.each([0, 1, 48, 95])('a put aborted as chunk %i of 96 is taken, silent from then on', async (last) => {
    const caller = new AbortController()
    const late: number[] = []
    const source = function* () {
      for (const [i, chunk] of [...chunksOf(content)].entries()) {
        if (i === last) caller.abort(new Error('enough'))
        yield chunk
      }
    }
    const onProgress = (accepted: number) => void (caller.signal.aborted && late.push(accepted))
    const doomed = put(place.at, 'new', streamFrom(source()), { signal: caller.signal, onProgress })
    expect(await rejectionOf(doomed)).toBe(caller.signal.reason)
    expect(late).toEqual([])
    await nothingChanged()
  })

  it.each([0, 1])('a body aborted after %i chunks', async (chunks) => {
    const caller = new AbortController()
    const { body } = await place.at.get('known', { signal: caller.signal })
    const reader = body.getReader()
    for (let i = 0; i < chunks; i++) expect((await reader.read()).done).toBe(false)
    caller.abort(new Error('enough'))
    const rest = (async () => {
      while (!(await reader.read()).done);
    })()
    expect(await rejectionOf(rest)).toBe(caller.signal.reason)
    await nothingChanged()
  })

  it('a body that is cancelled is over', async () => {
    const { body } = await place.at.get('known', {})
    const reader = body.getReader()
    await reader.read()
    await reader.cancel()
    expect(await reader.read()).toEqual({ done: true, value: undefined })
  })
}
