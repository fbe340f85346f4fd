import { contentSource } from '@ivcap/core/driver'
import type { Content } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { allArtifacts, download, upload } from '../support/artifacts.js'
import { allAspects } from '../support/aspects.js'
import { chunksOf, expectBytes, MiB, someBytes, streamFrom, streamOf } from '../support/bytes.js'
import { expectError, isCausedBy, rejectionOf } from '../support/expect-error.js'
import { transfer } from '../support/transfer.js'
import type { BackendPlace } from './place.js'

const bytes = someBytes(3 * MiB)

/** If the source of an upload fails, the upload must fail, report the cause, and leave nothing visible. */
export function artifactFailures(place: BackendPlace): void {
  const nothingIsLeft = async () => {
    expect(await allArtifacts(place.at)).toEqual([])
    expect(await allAspects(place.at)).toEqual([])
  }

  it.each<[string, () => Content, number]>([
    ['a stream that is longer than was said', () => streamOf(bytes), bytes.byteLength - 1],
    ['a stream that is shorter than was said', () => streamOf(bytes), bytes.byteLength + 1],
    ['an empty stream that should not be', () => streamOf(new Uint8Array()), 1],
    ['a stream that should be empty', () => streamOf(bytes), 0],
  ])('%s', async (_, content, size) => {
    await expectError(
      upload(place.at, content(), { size, name: 'doomed' }),
      'invalid-argument',
      'contentSize',
    )
    await nothingIsLeft()
  })

  it.each([0, 1.5 * MiB])('a stream that errors after %i bytes', async (after) => {
    const fault = new Error('the instrument was unplugged')
    const broken = function* () {
      yield* chunksOf(bytes.subarray(0, after))
      throw fault
    }
    const error = await rejectionOf(upload(place.at, streamFrom(broken()), { name: 'doomed' }))
    expect(isCausedBy(error, fault), String(error)).toBe(true)
    await nothingIsLeft()
  })

  // known failure: stream-not-at-start
  it('a stream that was read before', async () => {
    const used = streamOf(bytes)
    await used.getReader().read()
    await rejectionOf((async () => upload(place.at, used, { name: 'doomed' }))())
    await nothingIsLeft()
  })

  it('a source that has changed meanwhile', async () => {
    const moving = { ...contentSource(bytes), unchanged: async () => false }
    const doomed = place.at.artifacts.create(moving, { name: 'doomed', mimeType: 'text/plain' }, transfer)
    await expectError(doomed, 'integrity')
    await nothingIsLeft()
  })

  it('leaves what was there before as it was', async () => {
    const { id, etag } = await upload(place.at, 'earlier', { name: 'same' })
    await expectError(upload(place.at, streamOf(bytes), { name: 'same', size: 1 }), 'invalid-argument')
    expect((await place.at.artifacts.stat(id, {})).etag).toBe(etag)
    expectBytes(await download(place.at, id), new TextEncoder().encode('earlier'))
    expect(await allArtifacts(place.at)).toHaveLength(1)
  })

  it('lets go of the source', async () => {
    let released = false
    const watched = function* () {
      try {
        yield* chunksOf(bytes)
      } finally {
        released = true
      }
    }
    await expectError(upload(place.at, streamFrom(watched()), { size: 10 }), 'invalid-argument')
    expect(released).toBe(true)
  })
}
