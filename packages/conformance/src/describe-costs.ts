import {
  type AspectQuery,
  type Backend,
  type BlobStore,
  contentSource,
  type Timestamp,
} from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aspectQuery, draft } from './support/aspects.js'
import { countingBlobs, none, type Requests } from './support/counting-blobs.js'
import { transfer } from './support/transfer.js'

export interface CostOptions {
  /** Opens a new, empty blob store. */
  open(): Promise<BlobStore>
  close(): Promise<void>
  /** The number of aspects, at least 20. The cost of a query must not depend on it. */
  readonly aspects: number
}

const SCHEMAS = ['tag', 'tag-set', 'label', 'metric', 'note'].map((name) => `urn:test:schema:${name}.1`)
const TAG = 'urn:test:schema:tag.1'
/** Page size. */
const K = 10
const AT_ONCE = 32
/** Every second one of the first UPDATED aspects is written by an update, which costs more requests than an add. */
const UPDATED = 200
const entity = (n: number) => `urn:test:entity:${n}`

interface Filled {
  readonly blobs: BlobStore
  readonly backend: Backend
  readonly requests: Requests
  /** A time at which about half of the aspects were in force. */
  readonly half: Timestamp
}

/**
 * Registers tests that count the requests of the engine to a blob store, for each kind of query. Call it from a vitest file.
 * A schema pattern costs one LIST to find the schemas, and one LIST for each schema that matches. A query with `atTime` costs
 * twice as many, since it lists both the current and the past aspects.
 */
export function describeCosts(name: string, { open, close, aspects }: CostOptions): void {
  describe(`${name}, with ${aspects} aspects`, () => {
    let filled: Filled
    beforeAll(async () => {
      filled = await fill(await open(), aspects)
    }, 120_000)
    afterAll(close)

    const middle = entity(Math.floor(aspects / SCHEMAS.length / 2))
    const counted = async <T>(run: (backend: Backend) => Promise<T>) => {
      Object.assign(filled.requests, none())
      const result = await run(filled.backend)
      await filled.backend.close?.()
      return { result, requests: { ...filled.requests } }
    }

    it.each<[string, Partial<AspectQuery>, number, number]>([
      ['one entity and schema', { entity: middle, schema: TAG }, 2, 3],
      ['one entity', { entity: middle }, 1, 2],
      ['one schema', { schema: TAG }, 1, 2],
      ['a pattern that fits one schema', { schema: 'urn:test:schema:me%' }, 1 + 1, 2 + 2],
      ['a pattern that fits two', { schema: 'urn:test:schema:tag%' }, 1 + 2, 2 + 2 * 2],
      ['everything', {}, 1 + SCHEMAS.length, 2 + 2 * SCHEMAS.length],
    ])('%s: one GET for each record, and few LIST', async (_, q, lists, listsAsOf) => {
      const now = await counted(({ aspects }) => aspects.list(aspectQuery({ limit: K, ...q }), {}))
      const found = now.result.items.length
      expect(found).toBeGreaterThan(0)
      expect(now.requests).toMatchObject({ get: found, put: 0, head: 0, delete: 0 })
      expect(now.requests.list).toBeLessThanOrEqual(lists)

      const past = aspectQuery({ limit: K, ...q, atTime: filled.half })
      const then = await counted(({ aspects }) => aspects.list(past, {}))
      expect(then.requests.get).toBeLessThanOrEqual(then.result.items.length + 1)
      expect(then.requests.list).toBeLessThanOrEqual(listsAsOf)
    })

    it('writing: an add 3 PUT, an update and a retraction a dozen small requests', async () => {
      const assert = (mode: 'add' | 'replace') =>
        counted(({ aspects }) => aspects.assert(draft({}, { entity: 'urn:test:new', schema: TAG }), mode, {}))
      expect((await assert('add')).requests).toEqual({ ...none(), put: 3 })
      await assert('replace')
      const { requests, result } = await assert('replace')
      expect(requests).toEqual({ put: 8, head: 0, get: 1, list: 2, delete: 4 })
      const retracted = await counted(({ aspects }) => aspects.retract(result.id, {}))
      expect(retracted.requests).toEqual({ put: 5, head: 0, get: 3, list: 0, delete: 4 })
    })

    it('the first write of a schema: no more than any other; of a process, 1 GET for the version of the layout', async () => {
      const of = { entity: 'urn:test:new', schema: 'urn:test:schema:new.1' }
      const first = await counted(({ aspects }) => aspects.assert(draft({}, of), 'add', {}))
      expect(first.requests).toEqual({ ...none(), put: 3 })
      const { blobs, requests } = countingBlobs(filled.blobs)
      await blobBackend(blobs).aspects.assert(draft({}, of), 'add', {})
      expect(requests).toEqual({ ...none(), get: 1, put: 3 })
    })

    it('an artifact: 4 PUT to store; 1 LIST and 1 GET to look up, and 1 GET to read', async () => {
      const create = ({ artifacts }: Backend) =>
        artifacts.create(contentSource('bytes'), { mimeType: 'text/plain' }, transfer)
      await create(filled.backend)
      const stored = await counted(create)
      expect(stored.requests).toEqual({ ...none(), put: 4 })
      const { id } = stored.result
      const found = await counted(({ artifacts }) => artifacts.stat(id, {}))
      expect(found.requests).toEqual({ ...none(), list: 1, get: 1 })
      const read = await counted(async ({ artifacts }) => (await artifacts.read(id, {})).body.cancel())
      expect(read.requests).toEqual({ ...none(), list: 1, get: 2 })
    })
  })
}

/** Fills the store: each entity gets one record of each schema. */
async function fill(store: BlobStore, aspects: number): Promise<Filled> {
  const { blobs, requests } = countingBlobs(store)
  const backend = blobBackend(blobs)
  const add = (i: number) => {
    const of = { entity: entity(Math.floor(i / SCHEMAS.length)), schema: SCHEMAS[i % SCHEMAS.length] ?? TAG }
    return backend.aspects.assert(draft({ i }, of), i % 2 || i >= UPDATED ? 'add' : 'replace', {})
  }
  let next = 0
  let half: Timestamp = ''
  const worker = async () => {
    for (let i = next++; i < aspects; i = next++) {
      const { validFrom } = await add(i)
      if (i === aspects / 2) half = validFrom ?? ''
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  await backend.close?.()
  return { blobs: store, backend, requests, half }
}
