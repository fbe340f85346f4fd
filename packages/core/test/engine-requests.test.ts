import { describe, expect, it } from 'vitest'
import { blobBackend } from '../src/engine/index.js'
import type { AspectRecord } from '../src/model/records.js'
import { micros, type Timestamp, timestamp } from '../src/model/time.js'
import type { AspectQuery, AspectStore } from '../src/ports/index.js'
import { contentSource } from '../src/streams/source.js'
import { Blobs, modelBlobs } from './support/model-blobs.js'

const SCHEMAS = ['tag', 'tag-set', 'label', 'metric', 'note'].map((name) => `urn:test:schema:${name}.1`)
const TAG = 'urn:test:schema:tag.1'
const entity = (n: number) => `urn:test:entity:${n}`
const K = 10

/** A store in which every entity has one record of each schema, updated by turns and now and then retracted. */
async function filled(aspects: number) {
  const requests = { put: 0, get: 0, list: 0, head: 0, delete: 0 }
  const blobs = modelBlobs(new Blobs(), {
    arrive: async (call) => {
      requests[call]++
    },
  })
  let now = micros('2026-01-01T00:00:00.000000Z')
  const backend = blobBackend(blobs, { clock: () => ++now })
  const assert = (n: number, schema: string, mode: 'add' | 'replace') =>
    backend.aspects.assert({ entity: entity(n), schema, content: { $schema: schema, n } }, mode, {})
  const records: AspectRecord[] = []
  for (let i = 0; records.length < aspects; i++) {
    const n = Math.floor(i / SCHEMAS.length)
    const schema = SCHEMAS[i % SCHEMAS.length] ?? TAG
    records.push(await assert(n, schema, i % 2 ? 'add' : 'replace'))
    if (i % 4 === 0) records.push(await assert(n, schema, 'replace'))
    if (i % 9 === 0) await backend.aspects.retract(records.at(-1)?.id ?? 'urn:x:y', {})
  }
  await backend.close?.()
  const half = records[Math.floor(records.length / 2)]?.validFrom ?? ''
  const counted = async <T>(run: () => Promise<T>) => {
    Object.assign(requests, { put: 0, get: 0, list: 0, head: 0, delete: 0 })
    const result = await run()
    await backend.close?.()
    return { result, requests: { ...requests } }
  }
  return { backend, counted, assert, half }
}

const page = (aspects: AspectStore, q: Partial<AspectQuery>) =>
  aspects.list({ orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: K, ...q }, {})

describe.each([20, 2_000])('with %i aspects, a page of at most 10 costs', async (aspects) => {
  const { backend, counted, assert, half } = await filled(aspects)
  const middle = Math.floor(aspects / 20)

  it.each<[string, Partial<AspectQuery>, number, number]>([
    ['entity and schema', { entity: entity(middle), schema: TAG }, 2, 3],
    ['entity', { entity: entity(middle) }, 1, 2],
    ['schema', { schema: TAG }, 1, 2],
    ['a pattern that fits one schema', { schema: 'urn:test:schema:me%' }, 1 + 1, 2 + 2],
    ['a pattern that fits two schemas', { schema: 'urn:test:schema:tag%' }, 1 + 2, 2 + 2 * 2],
    ['everything', {}, 1 + SCHEMAS.length, 2 + 2 * SCHEMAS.length],
  ])('by %s: few LIST, one GET per record', async (_, q, lists, listsAsOf) => {
    const now = await counted(() => page(backend.aspects, q))
    expect(now.result.items.length).toBeGreaterThan(0)
    expect(now.requests).toMatchObject({ get: now.result.items.length, put: 0, head: 0, delete: 0 })
    expect(now.requests.list).toBeLessThanOrEqual(lists)
    for (const atTime of [half, timestamp(micros(half) + 7)]) {
      const then = await counted(() => page(backend.aspects, { ...q, atTime }))
      expect(then.requests.get).toBeLessThanOrEqual(then.result.items.length + 1)
      expect(then.requests.list).toBeLessThanOrEqual(listsAsOf)
    }
  })

  it('a later page as much as one as of a time', async () => {
    const first = await page(backend.aspects, { schema: TAG, limit: 1 })
    const { result, requests } = await counted(() =>
      page(backend.aspects, { schema: TAG, limit: 1, cursor: first.cursor ?? '' }),
    )
    expect(result.items).toHaveLength(1)
    expect(requests).toMatchObject({ get: 1, list: 2 })
  })

  it('writing: an add 3 PUT; an update 2 LIST, 1 GET, 8 PUT and 4 DELETE', async () => {
    const added = await counted(() => assert(-1, TAG, 'add'))
    expect(added.requests).toMatchObject({ put: 3, get: 0, list: 0, delete: 0 })
    await assert(-2, TAG, 'replace')
    await backend.close?.()
    const updated = await counted(() => assert(-2, TAG, 'replace'))
    expect(updated.requests).toEqual({ list: 2, get: 1, put: 8, delete: 4, head: 0 })
    const got = await counted(() => backend.aspects.get(updated.result.id, {}))
    expect(got.requests).toMatchObject({ get: 3, list: 0 })
    const gone = await counted(() => backend.aspects.retract(updated.result.id, {}))
    expect(gone.requests).toMatchObject({ get: 3, list: 0, put: 5, delete: 4 })
  })

  it('an artifact: looking it up 1 LIST and 1 GET, reading it one GET more', async () => {
    const { id } = await backend.artifacts.create(
      contentSource('bytes'),
      { mimeType: 'text/plain' },
      { retries: 0, retryDelay: 0 },
    )
    expect((await counted(() => backend.artifacts.stat(id, {}))).requests).toMatchObject({ list: 1, get: 1 })
    const read = await counted(() => backend.artifacts.read(id, {}))
    expect(read.requests).toMatchObject({ list: 1, get: 2, head: 0 })
  })
})

describe('an entity with 3,000 aspects of one schema, among others', async () => {
  const { backend, counted, assert } = await filled(20)
  await assert(0, TAG, 'replace')
  for (let i = 0; i < 3_000; i++) await assert(0, 'urn:test:schema:item.1', 'add')

  it.each<[string, Partial<AspectQuery> & { atTime?: Timestamp }]>([
    ['by entity', { entity: entity(0) }],
    ['by entity and its schema', { entity: entity(0), schema: 'urn:test:schema:item.1' }],
    ['by entity and another schema', { entity: entity(0), schema: TAG }],
  ])('%s: 1 to 3 LIST', async (_, q) => {
    const { result, requests } = await counted(() => page(backend.aspects, q))
    expect(requests.get).toBe(result.items.length)
    expect(requests.list).toBeLessThanOrEqual(3)
  })
})
