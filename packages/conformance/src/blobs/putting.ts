import type { Content } from '@ivcap/core/internal'
import { describe, expect, it } from 'vitest'
import { bytesOf, keysOf, put } from '../support/blobs.js'
import { chunksOf, expectBytes, MiB, someBytes, streamFrom, streamOf } from '../support/bytes.js'
import { expectError, isCausedBy, rejectionOf } from '../support/expect-error.js'
import { progressLog, sizesAround } from '../support/transfer.js'
import type { BlobPlace } from './place.js'

/** A put stores all or nothing. `create` never changes an existing blob; `overwrite` replaces it. */
export function putting(place: BlobPlace): void {
  describe.each(sizesAround(place.capabilities.partSize))('%i bytes', (size) => {
    const bytes = someBytes(size)
    it.each<[string, () => Content]>([
      ['in memory', () => bytes],
      ['of a stream', () => streamOf(bytes)],
    ])('%s', async (_, content) => {
      const info = await put(place.at, 'some/key', content())
      expect(info).toMatchObject({ key: 'some/key', size })
      expectBytes(await bytesOf(place.at, 'some/key'), bytes)
    })
  })

  // known failure: progress
  it('20 MiB, with progress that never goes back and tells the total once, at the end', async () => {
    const bytes = someBytes(20 * MiB)
    const { reports, onProgress } = progressLog()
    await put(place.at, 'big', streamOf(bytes), { onProgress, size: bytes.byteLength })
    expectBytes(await bytesOf(place.at, 'big'), bytes)
    const accepted = reports.map((r) => r.accepted)
    expect(accepted).toEqual([...accepted].sort((a, b) => a - b))
    const total = bytes.byteLength
    expect(reports.filter((r) => r.accepted === total)).toEqual([{ accepted: total, total }])
    expect(reports.at(-1)).toEqual({ accepted: total, total })
    expect(reports.length).toBeGreaterThan(1)
  })

  it('create refuses a key that is taken, and leaves it as it was', async () => {
    const first = await put(place.at, 'key', 'first')
    const error = await expectError(put(place.at, 'key', streamOf(someBytes(2 * MiB))), 'already-exists')
    expect(error.retryable).toBe(false)
    expect(await place.at.head('key', {})).toEqual(first)
    expectBytes(await bytesOf(place.at, 'key'), new TextEncoder().encode('first'))
  })

  it('create works again after a delete', async () => {
    await put(place.at, 'key', 'first')
    await place.at.delete('key', {})
    await put(place.at, 'key', 'second')
    expectBytes(await bytesOf(place.at, 'key'), new TextEncoder().encode('second'))
  })

  it('overwrite takes a key whether it is free or not, and changes the etag', async () => {
    const first = await put(place.at, 'key', 'first', { mode: 'overwrite' })
    const second = await put(place.at, 'key', 'other', { mode: 'overwrite' })
    expect(second.etag).not.toBe(first.etag)
    expect(await place.at.head('key', {})).toEqual(second)
    expectBytes(await bytesOf(place.at, 'key'), new TextEncoder().encode('other'))
  })

  it('of 8 creators at once, from several processes, exactly one wins', async () => {
    const stores = [place.at, await place.reopen()]
    for (const size of [10, 300_000]) {
      const key = `race/${size}`
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) =>
          put(stores[n % 2] ?? place.at, key, streamOf(someBytes(size, n + 1))),
        ),
      )
      const winners = outcomes.flatMap((o, n) => (o.status === 'fulfilled' ? [n] : []))
      expect(winners).toHaveLength(1)
      for (const o of outcomes)
        if (o.status === 'rejected') expect(o.reason).toMatchObject({ code: 'already-exists' })
      expectBytes(await bytesOf(place.at, key), someBytes(size, (winners[0] ?? 0) + 1))
    }
    expect(await keysOf(place.at)).toEqual(['race/10', 'race/300000'])
  })

  it('of 8 overwriters at once one is last, and nothing is mixed', async () => {
    const contents = Array.from({ length: 8 }, (_, n) => someBytes(300_000, n + 1))
    await Promise.all(contents.map((c) => put(place.at, 'key', streamOf(c), { mode: 'overwrite' })))
    const stored = Buffer.from(await bytesOf(place.at, 'key'))
    expect(contents.filter((c) => stored.equals(c))).toHaveLength(1)
    expect(await keysOf(place.at)).toEqual(['key'])
  })

  it.each(['create', 'overwrite'] as const)('a failing %s leaves what was there', async (mode) => {
    const fault = new Error('the instrument was unplugged')
    const bytes = someBytes(3 * MiB)
    const broken = function* () {
      yield* chunksOf(bytes.subarray(0, 2 * MiB))
      throw fault
    }
    if (mode === 'overwrite') await put(place.at, 'key', 'earlier')
    const expectedKeys = mode === 'overwrite' ? ['key'] : []
    const error = await rejectionOf(put(place.at, 'key', streamFrom(broken()), { mode }))
    expect(isCausedBy(error, fault), String(error)).toBe(true)
    for (const size of [bytes.byteLength - 1, bytes.byteLength + 1]) {
      await expectError(
        put(place.at, 'key', streamOf(bytes), { mode, size }),
        'invalid-argument',
        'contentSize',
      )
    }
    expect(await keysOf(place.at)).toEqual(expectedKeys)
    for (const key of expectedKeys)
      expectBytes(await bytesOf(place.at, key), new TextEncoder().encode('earlier'))
  })
}
