import { describe, expect, it } from 'vitest'
import { blobBackend, vacuum } from '../src/engine/index.js'
import { Blobs, modelBlobs } from './support/model-blobs.js'

const ENTITY = 'urn:test:entity'
const SCHEMA = 'urn:test:schema:tag.1'
const draft = { entity: ENTITY, schema: SCHEMA, content: { $schema: SCHEMA } }
const query = { orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: 10 } as const

describe('the version of the layout', () => {
  it('is written with the first write, not by reading, and once', async () => {
    const blobs = new Blobs()
    const { aspects } = blobBackend(modelBlobs(blobs))
    await aspects.list(query, {})
    expect(blobs.keys()).toEqual([])
    await Promise.all(Array.from({ length: 5 }, () => aspects.assert(draft, 'add', {})))
    expect(JSON.parse(new TextDecoder().decode(blobs.read('layout').bytes))).toEqual({ layout: 1 })
    expect(blobs.read('layout').info.size).toBeGreaterThan(0)
    await blobBackend(modelBlobs(blobs)).aspects.assert(draft, 'add', {})
    expect(await aspects.list(query, {})).toMatchObject({ items: { length: 6 } })
  })

  it('is neither read nor written again by a process that has written it', async () => {
    const requests: string[] = []
    const arrive = async (call: string, key: string) => void (key === 'layout' && requests.push(call))
    const { aspects, close } = blobBackend(modelBlobs(new Blobs(), { arrive }))
    await aspects.assert(draft, 'add', {})
    await close?.()
    expect(requests).toEqual(['get', 'put'])
    for (const mode of ['add', 'replace'] as const) await aspects.assert(draft, mode, {})
    await aspects.list(query, {})
    expect(requests).toHaveLength(2)
  })

  it.each<[string, (store: ReturnType<typeof modelBlobs>) => Promise<unknown>]>([
    ['list', (store) => blobBackend(store).aspects.list(query, {})],
    ['add', (store) => blobBackend(store).aspects.assert(draft, 'add', {})],
    ['update', (store) => blobBackend(store).aspects.assert(draft, 'replace', {})],
    ['verify', async (store) => blobBackend(store).verify?.({})],
    ['repair', async (store) => blobBackend(store).repair?.({})],
    ['vacuum', (store) => vacuum(store, { olderThan: new Date() })],
  ])('a newer one is refused by %s, and nothing is changed', async (_, run) => {
    const blobs = new Blobs()
    blobs.write('layout', new TextEncoder().encode('{"layout": 2}'), 'create')
    await expect(run(modelBlobs(blobs))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('update @ivcap/core'),
    })
    expect(blobs.keys()).toEqual(['layout'])
  })
})
