import { describe, expect, it } from 'vitest'
import { blobArtifactStore, blobBackend } from '../src/engine/index.js'
import { IvcapError } from '../src/model/errors.js'
import { artifactUrn, isUrn } from '../src/model/urn.js'
import type { ArtifactDraft, AspectStore } from '../src/ports/index.js'
import { contentSource } from '../src/streams/source.js'
import { Blobs, modelBlobs, type Network } from './support/model-blobs.js'

const transfer = { retries: 2, retryDelay: 0 }
const draft: ArtifactDraft = { name: 'reef.txt', mimeType: 'text/plain' }
const COLLECTION = 'urn:ivcap:collection:reef'

function place(network: Network = {}) {
  const blobs = new Blobs()
  const backend = blobBackend(modelBlobs(blobs, network))
  const current = async (entity?: string) => {
    const q = { orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: 50 } as const
    return (await backend.aspects.list(entity === undefined ? q : { ...q, entity }, {})).items
  }
  return { blobs, ...backend, current }
}

const failing = (aspects: AspectStore, when: (schema: string) => unknown): AspectStore => ({
  ...aspects,
  assert: async (d, mode, o) => {
    const error = when(d.schema)
    if (error !== undefined) throw error
    return await aspects.assert(d, mode, o)
  },
})
const isRecord = (schema: string) => schema.includes('artifact.1')

describe('artifacts over a blob store', () => {
  it('are bytes at their id, and a record that says where they are', async () => {
    const { blobs, artifacts, current } = place()
    const { id } = await artifacts.create(contentSource('coral'), draft, transfer)
    const uuid = id.replace('urn:ivcap:artifact:', '')
    expect(blobs.keys('artifacts/')).toEqual([`artifacts/${uuid}`])
    expect((await current(id))[0]?.content).toMatchObject({ id, location: `model:/artifacts/${uuid}` })
  })

  it('keep their records elsewhere, if told so, and read those of older deployments', async () => {
    const records = place()
    const blobs = new Blobs()
    const store = blobArtifactStore(modelBlobs(blobs), { aspects: records.aspects, name: 'bucket' })
    const { id } = await store.create(contentSource('coral'), draft, transfer)
    expect(await records.current(id)).toHaveLength(1)
    expect(blobs.keys()).toHaveLength(1)

    const old = artifactUrn('11111111-1111-4111-8111-111111111111')
    const schema = 'urn:ivcap:schema:artifact.1'
    const content = { $schema: schema, name: 'old.txt', size: 5, location: 'model:/secret' }
    await records.aspects.assert({ entity: old, schema, content }, 'add', {})
    expect(await store.stat(old, {})).toEqual({ id: old, name: 'old.txt', status: 'ready', size: 5 })
    // the key comes from the id, whatever a record that anybody may write says
    const error = { code: 'integrity', resource: old }
    await expect(store.read(old, {})).rejects.toMatchObject(error)
  })

  it('lie where a deployment has them', async () => {
    const blobs = new Blobs()
    const { artifacts } = blobBackend(modelBlobs(blobs), { artifactKey: ({ id }) => `data/${id.length}` })
    const { id } = await artifacts.create(contentSource('coral'), draft, transfer)
    expect(blobs.keys('data/')).toEqual([`data/${id.length}`])
    expect(await new Response((await artifacts.read(id, {})).body).text()).toBe('coral')
  })

  it('leave nothing when the source changed meanwhile', async () => {
    const { blobs, artifacts } = place()
    const source = { ...contentSource('coral'), unchanged: async () => false }
    await expect(artifacts.create(source, draft, transfer)).rejects.toMatchObject({ code: 'integrity' })
    expect(blobs.keys()).toEqual([])
  })

  it('leave nothing when the record is refused: no bytes, no item of the collection', async () => {
    const { aspects, current } = place()
    const blobs = new Blobs()
    const refused = new IvcapError('permission-denied', 'no')
    const store = blobArtifactStore(modelBlobs(blobs), {
      aspects: failing(aspects, (schema) => (isRecord(schema) ? refused : undefined)),
    })
    const upload = store.create(contentSource('coral'), { ...draft, collection: COLLECTION }, transfer)
    await expect(upload).rejects.toBe(refused)
    expect(blobs.keys()).toEqual([])
    expect(await current()).toEqual([])
  })

  // known failure: committed-twice
  it('succeed when the record was written and only its answer was lost', async () => {
    const { aspects } = place()
    const blobs = new Blobs()
    const store = blobArtifactStore(modelBlobs(blobs), {
      aspects: {
        ...aspects,
        assert: async (...args) => {
          await aspects.assert(...args)
          throw new IvcapError('unavailable', 'lost')
        },
      },
    })
    const record = await store.create(contentSource('coral'), draft, transfer)
    expect(await store.stat(record.id, {})).toEqual(record)
    expect(blobs.keys()).toHaveLength(1)
  })

  it('keep the bytes when nobody can tell whether the record was written', async () => {
    const { aspects } = place()
    const blobs = new Blobs()
    const down = async () => {
      throw new IvcapError('unavailable', 'down')
    }
    const store = blobArtifactStore(modelBlobs(blobs), { aspects: { ...aspects, assert: down, list: down } })
    await expect(store.create(contentSource('coral'), draft, transfer)).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(blobs.keys()).toHaveLength(1)
  })

  it('aborted when the record was just written: it is retracted, and the bytes are gone', async () => {
    const caller = new AbortController()
    const reason = new Error('enough')
    const { aspects, current } = place()
    const blobs = new Blobs()
    const store = blobArtifactStore(modelBlobs(blobs), {
      aspects: {
        ...aspects,
        assert: async (d, mode) => {
          await aspects.assert(d, mode, {})
          caller.abort(reason)
          throw reason
        },
      },
    })
    const upload = store.create(contentSource('coral'), draft, { ...transfer, signal: caller.signal })
    await expect(upload).rejects.toBe(reason)
    expect(blobs.keys()).toEqual([])
    expect(await current()).toEqual([])
  })

  it.each(['before', 'after'] as const)(
    'survive a fault of the store %s the bytes are there',
    async (when) => {
      const sent: string[] = []
      const fault = async (call: string, key: string) => {
        if (call !== 'put' || !key.startsWith('artifacts/')) return
        sent.push(key)
        if (sent.length === 1) throw new IvcapError('unavailable', 'lost')
      }
      const { artifacts } = place(when === 'before' ? { arrive: fault } : { answer: fault })
      const progress: [number, number | undefined][] = []
      const onProgress = (accepted: number, total?: number) => progress.push([accepted, total])
      const { id } = await artifacts.create(contentSource('coral'), draft, { ...transfer, onProgress })
      expect(await new Response((await artifacts.read(id, {})).body).text()).toBe('coral')
      expect(sent).toHaveLength(when === 'before' ? 2 : 1)
      expect(progress.at(-1)).toEqual([5, 5])
      expect(progress.filter(([accepted]) => accepted === 5)).toHaveLength(1)
    },
  )

  it('ids of other kinds are nobody', async () => {
    const { artifacts } = place()
    for (const id of ['urn:file:///etc/passwd', 'urn:ivcap:artifact:../../e']) {
      if (!isUrn(id)) throw new Error(id)
      await expect(artifacts.read(id, {})).rejects.toMatchObject({ code: 'not-found', resource: id })
    }
  })
})
