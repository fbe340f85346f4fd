import fc from 'fast-check'
import { expect, it } from 'vitest'
import { download, upload } from '../support/artifacts.js'
import { expectBytes, MiB, someBytes } from '../support/bytes.js'
import { expectError } from '../support/expect-error.js'
import type { BackendPlace } from './place.js'

/** A range returns the same bytes as `slice` of the content. A range with no byte of the content is an error. */
export function artifactRanges(place: BackendPlace): void {
  it('any range is a slice of the whole', async () => {
    const bytes = someBytes(2 * MiB + 11)
    const { id } = await upload(place.at, bytes)
    const nearChunk = fc.integer({ min: MiB - 2, max: MiB + 2 })
    const start = fc.oneof(fc.integer({ min: 0, max: bytes.byteLength - 1 }), nearChunk)
    const length = fc.oneof(fc.integer({ min: 1, max: 3 * MiB }), fc.constantFrom(1, MiB, undefined))
    await fc.assert(
      fc.asyncProperty(start, length, async (from, count) => {
        const range = { start: from, ...(count !== undefined && { end: from + count }) }
        expectBytes(await download(place.at, id, range), bytes.slice(from, range.end))
      }),
      { numRuns: 40 },
    )
  })

  it('comes with both of its ends, and the record of the whole', async () => {
    const { id } = await upload(place.at, someBytes(100))
    const answer = async (range: { start: number; end?: number }) => {
      const { body, range: resolved, record } = await place.at.artifacts.read(id, { range })
      await body.cancel()
      expect(record.size).toBe(100)
      return resolved
    }
    expect(await answer({ start: 0 })).toEqual({ start: 0, end: 100 })
    expect(await answer({ start: 99 })).toEqual({ start: 99, end: 100 })
    expect(await answer({ start: 10, end: 20 })).toEqual({ start: 10, end: 20 })
    expect(await answer({ start: 10, end: 1000 })).toEqual({ start: 10, end: 100 })
  })

  it('without one, the range is all there is', async () => {
    for (const size of [0, 100]) {
      const { id } = await upload(place.at, someBytes(size))
      const { body, range } = await place.at.artifacts.read(id, {})
      await body.cancel()
      expect(range).toEqual({ start: 0, end: size })
    }
  })

  it.each([
    { start: 100 },
    { start: 101, end: 102 },
    { start: 5_000_000_000 },
    { start: -1 },
    { start: 7, end: 7 },
    { start: 7, end: 3 },
    { start: 1.5 },
    { start: Number.NaN },
  ])('%j of 100 bytes is refused', async (range) => {
    const { id } = await upload(place.at, someBytes(100))
    await expectError(place.at.artifacts.read(id, { range }), 'invalid-argument', 'range')
  })

  it('an empty artifact has no range at all', async () => {
    const { id } = await upload(place.at, someBytes(0))
    await expectError(place.at.artifacts.read(id, { range: { start: 0 } }), 'invalid-argument', 'range')
  })

  it('several readers do not disturb each other', async () => {
    const bytes = someBytes(3 * MiB)
    const { id } = await upload(place.at, bytes)
    const ranges = [0, 1, 2, 3].map((i) => ({ start: i * 700_000, end: i * 700_000 + 900_000 }))
    const parts = await Promise.all(ranges.map((range) => download(place.at, id, range)))
    for (const [i, part] of parts.entries()) {
      expectBytes(part, bytes.slice(ranges[i]?.start, ranges[i]?.end))
    }
  })
}
