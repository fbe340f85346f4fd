import { expect, it } from 'vitest'
import { vacuum } from '../src/engine/index.js'
import type { BlobPage, BlobStore } from '../src/ports/index.js'
import { damageable, TAG } from './support/damage.js'
import { Blobs, modelBlobs } from './support/model-blobs.js'

/** A store that always promises more. */
const lies: readonly [string, (page: BlobPage, first: BlobPage) => BlobPage][] = [
  ['gives no keys', () => ({ items: [], more: true })],
  ['repeats the first ones', (_, first) => ({ items: first.items, more: true })],
]

const operations: readonly [
  string,
  (place: ReturnType<typeof damageable>, id: string) => Promise<unknown>,
][] = [
  ['listAspects by entity', ({ view }) => view().listAspects({ entity: 'urn:x:y' }).toArray()],
  ['listAspects by schema', ({ view }) => view().listAspects({ schema: TAG }).toArray()],
  [
    'listAspects as of a time',
    ({ view }) => view().listAspects({ schema: 'urn:test:%', atTime: new Date() }).toArray(),
  ],
  ['listArtifacts', ({ view }) => view().listArtifacts().toArray()],
  ['getArtifact', ({ view }, id) => view().getArtifact(id)],
  ['updateAspect', ({ view }) => view().updateAspect('urn:x:y', { $schema: TAG })],
  ['verify', ({ view }) => view().verify()],
  ['repair', ({ view }) => view().repair()],
]

it.each(lies.flatMap(([lie, page]) => operations.map(([name, run]) => [name, lie, page, run] as const)))(
  '%s ends with protocol over a store that %s',
  async (_, __, page, run) => {
    let lying = false
    let lists = 0
    const place = damageable(
      (store): BlobStore => ({
        ...store,
        async list(q, o) {
          if (!lying) return await store.list(q, o)
          lists++
          const { startAfter, ...first } = q
          return page(await store.list(q, o), await store.list({ ...first, limit: 2 }, o))
        },
      }),
    )
    const { id } = await place.ivcap.uploadArtifact({ name: 'a', content: 'x', contentType: 'text/plain' })
    for (let n = 0; n < 3; n++) await place.ivcap.addAspect('urn:x:y', { $schema: TAG, n })
    lying = true
    await expect(run(place, id)).rejects.toMatchObject({ code: 'protocol' })
    expect(lists).toBeLessThan(20)
  },
)

it('vacuum ends with protocol, too', async () => {
  const store: BlobStore = { ...modelBlobs(new Blobs()), list: async () => ({ items: [], more: true }) }
  await expect(vacuum(store, { olderThan: new Date() })).rejects.toMatchObject({ code: 'protocol' })
})
