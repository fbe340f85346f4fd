import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytesOf, keysOf, put } from '../support/blobs.js'
import { collect, expectBytes, MiB, someBytes } from '../support/bytes.js'
import { expectError } from '../support/expect-error.js'
import type { BlobPlace } from './place.js'

/** Reads return the bytes that were put: a whole blob, a range, or a version pinned by its etag. */
export function getting(place: BlobPlace): void {
  it('put, head, get and list tell the same', async () => {
    const info = await put(place.at, 'a/key', someBytes(1000))
    expect(await place.at.head('a/key', {})).toEqual(info)
    const got = await place.at.get('a/key', {})
    await got.body.cancel()
    expect(got.info).toEqual(info)
    expect((await place.at.list({ prefix: '', limit: 10 }, {})).items).toEqual([info])
    const other = await place.reopen()
    expect(await other.head('a/key', {})).toEqual(info)
    expectBytes(await bytesOf(other, 'a/key'), someBytes(1000))
  })

  it('any range is a slice of the whole', async () => {
    const bytes = someBytes(2 * MiB + 11)
    await put(place.at, 'key', bytes)
    const start = fc.integer({ min: 0, max: bytes.byteLength - 1 })
    const length = fc.oneof(fc.integer({ min: 1, max: 3 * MiB }), fc.constantFrom(1, MiB, undefined))
    await fc.assert(
      fc.asyncProperty(start, length, async (from, count) => {
        const range = { start: from, ...(count !== undefined && { end: from + count }) }
        const got = await place.at.get('key', { range })
        expectBytes(await collect(got.body), bytes.slice(from, range.end))
        expect(got.range).toEqual({ start: from, end: Math.min(range.end ?? Infinity, bytes.byteLength) })
        expect(got.info.size).toBe(bytes.byteLength)
      }),
      { numRuns: 30 },
    )
  })

  it.each([{ start: 100 }, { start: 101, end: 200 }, { start: -1 }, { start: 5, end: 5 }, { start: 0.5 }])(
    '%j of 100 bytes is refused',
    async (range) => {
      await put(place.at, 'key', someBytes(100))
      await expectError(place.at.get('key', { range }), 'invalid-argument', 'range')
    },
  )

  it('an empty blob has no range at all', async () => {
    await put(place.at, 'key', new Uint8Array())
    await expectError(place.at.get('key', { range: { start: 0 } }), 'invalid-argument', 'range')
    expect((await place.at.get('key', {})).range).toEqual({ start: 0, end: 0 })
  })

  it('pinned by an etag: those bytes, or none', async () => {
    const first = await put(place.at, 'key', someBytes(100))
    const pinned = await place.at.get('key', { ifMatch: first.etag, range: { start: 10 } })
    expectBytes(await collect(pinned.body), someBytes(100).slice(10))
    await put(place.at, 'key', someBytes(100, 2), { mode: 'overwrite' })
    await expectError(place.at.get('key', { ifMatch: first.etag }), 'precondition-failed')
  })

  it('a body that was begun is never continued with other bytes', async () => {
    const first = someBytes(6 * MiB)
    await put(place.at, 'key', first)
    const reader = (await place.at.get('key', {})).body.getReader()
    const taken = [(await reader.read()).value ?? new Uint8Array()]
    await put(place.at, 'key', someBytes(6 * MiB, 2), { mode: 'overwrite' })
    const ended = await takeRest(reader, taken)
    const bytes = Buffer.concat(taken)
    expectBytes(bytes, first.subarray(0, bytes.byteLength))
    expect(ended).toBe(bytes.byteLength === first.byteLength)
  })

  it('a key that is not there is not found', async () => {
    for (const key of ['nothing', 'a', 'a/b/c', 'a/bc']) {
      await put(place.at, 'a/b', 'x', { mode: 'overwrite' })
      const error = await expectError(place.at.head(key, {}), 'not-found')
      expect(error.message).toContain(key)
      await expectError(place.at.get(key, {}), 'not-found')
    }
  })

  it('a deleted key is gone, and deleting it again is no error', async () => {
    await put(place.at, 'a/b', 'x')
    await put(place.at, 'a/bc', 'y')
    await place.at.delete('a/b', {})
    await place.at.delete('a/b', {})
    await place.at.delete('never/was', {})
    await expectError(place.at.head('a/b', {}), 'not-found')
    expect(await keysOf(place.at)).toEqual(['a/bc'])
  })
}

/** Returns true if the body came to its end, false if it broke off. */
async function takeRest(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  into: Uint8Array[],
): Promise<boolean> {
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return true
      into.push(value)
    }
  } catch {
    return false
  }
}
