import { describe, expect, it } from 'vitest'
import { blobAspects } from '../src/engine/aspect-store.js'
import { createEngine } from '../src/engine/context.js'
import { blobBackend, vacuum } from '../src/engine/index.js'
import { pairOf, slotKey } from '../src/engine/keys.js'
import { IvcapError } from '../src/model/errors.js'
import { aspectUrn, aspectUuid } from '../src/model/urn.js'
import { Blobs, modelBlobs } from './support/model-blobs.js'

const ENTITY = 'urn:test:entity'
const SCHEMA = 'urn:test:schema:tag.1'
const draft = { entity: ENTITY, schema: SCHEMA, content: { $schema: SCHEMA, n: 1 } }
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

describe('aspects over a blob store', () => {
  it('give up, and say so, when others are always first', async () => {
    const blobs = new Blobs()
    const pair = pairOf(ENTITY, SCHEMA)
    const rival = JSON.stringify({
      id: aspectUrn(uuid(0)),
      entity: ENTITY,
      schema: SCHEMA,
      content: {},
      valid_from: '2026-01-01T00:00:00Z',
    })
    let pauses = 0
    let ids = 0
    const aspects = blobAspects(
      createEngine(
        modelBlobs(blobs, {
          arrive: async (call, key) => {
            if (call === 'put' && key === slotKey(pair, pauses + 1))
              blobs.write(key, new TextEncoder().encode(rival), 'create')
          },
        }),
        {
          clock: () => 1_700_000_000_000_000,
          random: () => 0.5,
          uuid: () => uuid(++ids),
          pause: async () => {
            pauses++
          },
        },
      ),
    )
    const error = { code: 'unavailable', retryable: true, resource: ENTITY }
    await expect(aspects.assert(draft, 'replace', {})).rejects.toMatchObject(error)
    expect(pauses).toBe(60)
    for (let n = 1; n <= ids; n++)
      await expect(aspects.get(aspectUrn(uuid(n)), {})).rejects.toMatchObject({ code: 'not-found' })
    expect(blobs.keys('cur/')).toEqual([])
    expect(blobs.keys('id/')).toEqual([])
  })

  it('say that it is open whether a record was written, when the store went away at that moment', async () => {
    let down = false
    const blobs = new Blobs()
    const { aspects } = blobBackend(
      modelBlobs(blobs, {
        arrive: async () => {
          if (down) throw new IvcapError('unavailable', 'down')
        },
        answer: async (call, key) => {
          if (call !== 'put' || !key.startsWith('e/')) return
          down = true
          throw new IvcapError('unavailable', 'lost')
        },
      }),
    )
    await expect(aspects.assert(draft, 'replace', {})).rejects.toMatchObject({ code: 'unavailable' })
    down = false
    const q = { orderBy: 'valid_from', orderDirection: 'DESC', includeContent: false, limit: 5 } as const
    const { items } = await aspects.list({ ...q, entity: ENTITY }, {})
    expect(items).toHaveLength(1)
    expect(items[0]).not.toHaveProperty('content')
  })

  it('a store that refuses leaves nothing behind', async () => {
    const blobs = new Blobs()
    const full = new IvcapError('unknown', 'no space left')
    let commits = true
    const { aspects } = blobBackend(
      modelBlobs(blobs, {
        arrive: async (call, key) => {
          if (call === 'put' && key.startsWith(commits ? 'e/' : 'cur/s/')) throw full
        },
      }),
    )
    await expect(aspects.assert(draft, 'replace', {})).rejects.toBe(full)
    const layout = blobs.keys('layout')
    expect(blobs.keys()).toEqual(layout)
    commits = false
    await expect(aspects.assert(draft, 'add', {})).rejects.toBe(full)
    expect(blobs.keys()).toEqual(layout)
  })

  it.each([
    ['valid_from', 'DESC'],
    ['valid_from', 'ASC'],
    ['entity', 'ASC'],
  ] as const)(
    'by %s %s, all pages hold what a writer has stored whose clock is ahead',
    async (orderBy, orderDirection) => {
      const blobs = new Blobs()
      const now = 1_700_000_000_000_000
      const view = (clock: () => number) => blobBackend(modelBlobs(blobs), { clock }).aspects
      const writer = view(() => now + 3_600_000_000)
      const entities = [1, 2, 3, 4, 5].map((n) => `urn:test:entity:${n}` as const)
      for (const entity of entities) await writer.assert({ ...draft, entity }, 'add', {})
      const found: string[] = []
      let cursor: string | undefined
      do {
        const page = { limit: 2, ...(cursor !== undefined && { cursor }) }
        const listed = await view(() => now).list(
          { orderBy, orderDirection, includeContent: true, ...page },
          {},
        )
        found.push(...listed.items.map(({ entity }) => entity))
        cursor = listed.cursor
      } while (cursor !== undefined)
      expect(found.sort()).toEqual(entities)
    },
  )

  it('a blob that was damaged is reported, with its key', async () => {
    const blobs = new Blobs()
    const { aspects } = blobBackend(modelBlobs(blobs), { asserter: 'urn:test:me' })
    const { id, asserter } = await aspects.assert(draft, 'replace', {})
    expect(asserter).toBe('urn:test:me')
    const key = slotKey(pairOf(ENTITY, SCHEMA), 1)
    blobs.write(key, new TextEncoder().encode('{"id":'), 'overwrite')
    await expect(aspects.get(id, {})).rejects.toMatchObject({ code: 'integrity', resource: key })
  })

  it('refuse an id that is taken, name it, and leave the record that has it', async () => {
    const blobs = new Blobs()
    const aspects = blobAspects(
      createEngine(modelBlobs(blobs), {
        clock: () => 1_700_000_000_000_000,
        random: () => 0.5,
        uuid: () => uuid(1),
        pause: async () => {},
      }),
    )
    const { id } = await aspects.assert(draft, 'add', {})
    const other = { ...draft, content: { $schema: SCHEMA, n: 2 } }
    const error = { code: 'already-exists', resource: id }
    await expect(aspects.assert(other, 'add', {})).rejects.toMatchObject(error)
    expect(await aspects.get(id, {})).toMatchObject({ content: { n: 1 } })
  })

  it.each(['integrity', 'precondition-failed'] as const)(
    'that come otherwise than they are stored (%s) are read again',
    async (code) => {
      const store = modelBlobs(new Blobs())
      let wrong = 0
      const clocks = [1_700_000_000_000_000, 1_600_000_000_000_000]
      const view = (clock: number) =>
        blobBackend(
          {
            ...store,
            async get(key, o) {
              const content = await store.get(key, o)
              if (!/^(id|e)\//.test(key) || wrong === 0) return content
              wrong--
              await content.body.cancel()
              const error = new IvcapError(code, `${key} is not what it was`)
              return { ...content, body: new ReadableStream({ pull: () => Promise.reject(error) }) }
            },
          },
          { clock: () => clock },
        ).aspects
      const first = await view(clocks[0] ?? 0).assert(draft, 'replace', {})
      wrong = 3
      // by a clock that is behind: what it replaces must be known
      const second = await view(clocks[1] ?? 0).assert(draft, 'replace', {})
      expect(second.replaces).toBe(first.id)
      expect((second.validFrom ?? '') > (first.validFrom ?? '')).toBe(true)
      wrong = 3
      expect(await view(clocks[1] ?? 0).get(second.id, {})).toMatchObject({ content: { n: 1 } })
      wrong = Number.POSITIVE_INFINITY
      await expect(view(clocks[1] ?? 0).get(second.id, {})).rejects.toMatchObject({ code })
    },
  )

  it('tell who retracted', async () => {
    const { aspects } = blobBackend(modelBlobs(new Blobs()), { asserter: 'urn:test:me' })
    for (const mode of ['add', 'replace'] as const) {
      const { id } = await aspects.assert(draft, mode, {})
      await aspects.retract(id, {})
      expect(await aspects.get(id, {})).toMatchObject({ retracter: 'urn:test:me' })
    }
  })

  it('what crashed adds have left is swept; who is still at it is told, and leaves nothing', async () => {
    const blobs = new Blobs()
    let reached = () => {}
    const waiting = new Promise<void>((resolve) => {
      reached = resolve
    })
    let goOn = () => {}
    const stalled = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const slow = blobBackend(
      modelBlobs(blobs, {
        arrive: async (call, key) => {
          if (call !== 'put' || !key.startsWith('id/')) return
          reached()
          await stalled
        },
      }),
    )
    const { aspects } = blobBackend(modelBlobs(blobs))
    const { id } = await aspects.assert(draft, 'add', {})
    const late = expect(slow.aspects.assert(draft, 'add', {})).rejects.toMatchObject({
      code: 'already-exists',
    })
    await waiting
    const sweep = (olderThan: Date) => vacuum(modelBlobs(blobs), { olderThan })
    const tomorrow = new Date(Date.now() + 86_400_000)
    expect(await sweep(new Date(0))).toBe(0)
    expect(blobs.keys('cur/')).toHaveLength(4)
    expect(await sweep(tomorrow)).toBe(1)
    expect(blobs.keys('cur/')).toHaveLength(2)
    goOn()
    await late
    expect(blobs.keys('cur/')).toHaveLength(2)
    expect(await sweep(tomorrow)).toBe(0)
    expect(await aspects.get(id, {})).toMatchObject({ content: draft.content })
    const given = blobs.keys('id/').filter((key) => !key.includes(aspectUuid(id) ?? ''))
    expect(given).toHaveLength(1)
    const lost = aspectUrn(given[0]?.split('/')[1] ?? '')
    await expect(aspects.get(lost, {})).rejects.toMatchObject({ code: 'not-found' })
  })
})
