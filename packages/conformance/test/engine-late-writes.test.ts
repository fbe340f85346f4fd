import { type BlobStore, IvcapError } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { expect, it } from 'vitest'
import { retryingBlobs } from '../src/index.js'
import { allAspects, draft } from '../src/support/aspects.js'
import { mapBlobs } from './map-blobs.js'

/** A store that carries out the first attempt to write each entry of `cur/` only when `land` is called: the client got no answer. */
function landingLate(blobs: BlobStore): BlobStore & { land(): Promise<void> } {
  const first = new Map<string, () => Promise<unknown>>()
  return {
    ...blobs,
    async put(key, body, o) {
      if (!key.startsWith('cur/') || key.includes('!') || first.has(key)) return await blobs.put(key, body, o)
      first.set(key, () => blobs.put(key, body, o))
      throw new IvcapError('unavailable', `put ${key}: no answer came in time (a fault of the test)`)
    },
    async land() {
      for (const write of first.values()) await write()
    },
  }
}

const writes = {
  'an added aspect that was retracted': 'add',
  'an updated aspect that was retracted': 'replace',
} as const

it.each(Object.entries(writes))('%s stays closed when its entries are written late', async (_, mode) => {
  const blobs = landingLate(mapBlobs())
  const backend = blobBackend(retryingBlobs(blobs))
  const { id } = await backend.aspects.assert(draft({ n: 1 }), mode, {})
  expect((await allAspects(backend, {})).map((record) => record.id)).toEqual([id])
  await backend.aspects.retract(id, {})
  await blobs.land()
  expect(await allAspects(backend, {})).toEqual([])
})

it('an aspect that was replaced stays closed when its entries are written late', async () => {
  const blobs = landingLate(mapBlobs())
  const backend = blobBackend(retryingBlobs(blobs))
  await backend.aspects.assert(draft({ n: 1 }), 'replace', {})
  const { id } = await backend.aspects.assert(draft({ n: 2 }), 'replace', {})
  await blobs.land()
  expect((await allAspects(backend, {})).map((record) => record.id)).toEqual([id])
  expect(await backend.verify?.({})).toEqual([])
  // the next update clears away what comes late, so that readers don't meet it for ever
  await blobs.land()
  const entries = async () => {
    const { items } = await blobs.list({ prefix: 'cur/', limit: 100 }, {})
    return items.filter(({ key }) => !key.includes('!')).length
  }
  expect(await entries()).toBeGreaterThan(2)
  await backend.aspects.assert(draft({ n: 3 }), 'replace', {})
  await backend.close?.()
  expect(await entries()).toBe(2)
})
