import { contentSource, isIvcapError } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { gcsBackend, gcsBlobs } from '../src/index.js'
import { bytesOf, transfer } from './support/content.js'
import { freshPlace, gcsServer } from './support/gcs.js'

const server = await gcsServer()
const SCHEMA = 'urn:example:schema:survey.1'
const WRITERS = 8

/** From several clients, as from several processes. */
const clients = <T>(open: () => T): readonly T[] => Array.from({ length: WRITERS / 2 }, open)

describe.runIf(server)(`${WRITERS} writers at once`, { timeout: 240_000 }, async () => {
  if (server === undefined) return
  const place = await freshPlace(server)

  it('create a key: one wins, 30 times of 30', async () => {
    const stores = clients(() => gcsBlobs(place))
    for (let round = 0; round < 30; round++) {
      const key = `race/${round}`
      const outcomes = await Promise.all(
        Array.from({ length: WRITERS }, async (_, n) => {
          try {
            await stores[n % stores.length]?.put(key, contentSource(`writer ${n}`), transfer)
            return n
          } catch (error) {
            if (!isIvcapError(error, 'already-exists')) throw error
            return undefined
          }
        }),
      )
      const winners = outcomes.filter((n) => n !== undefined)
      expect(winners).toHaveLength(1)
      for (const store of stores) {
        expect(String(await bytesOf(store, key))).toBe(`writer ${winners[0]}`)
      }
    }
    for (const store of stores) store.close()
  })

  it('update an aspect: one is current, and each is found by its id, in 20 rounds', async () => {
    const backends = clients(() => gcsBackend(place))
    const [reader] = backends
    if (reader === undefined) return
    for (let round = 0; round < 20; round++) {
      const entity = `urn:example:reef:${round}`
      const records = await Promise.all(
        Array.from({ length: WRITERS }, async (_, n) => {
          const draft = { entity, schema: SCHEMA, content: { $schema: SCHEMA, n } }
          return backends[n % backends.length]?.aspects.assert(draft, 'replace', {})
        }),
      )
      const ids = records.map((record) => record?.id)
      const query = {
        entity,
        schema: SCHEMA,
        orderBy: 'valid_from',
        orderDirection: 'DESC',
        includeContent: true,
      } as const
      const { items } = await reader.aspects.list({ ...query, limit: 50 }, {})
      expect(items).toHaveLength(1)
      expect(ids).toContain(items[0]?.id)
      for (const [n, id] of ids.entries()) {
        if (id === undefined) throw new Error('an update has no id')
        const { content, validTo } = await reader.aspects.get(id, {})
        expect(content?.['n']).toBe(n)
        expect(validTo === undefined).toBe(id === items[0]?.id)
      }
    }
    for (const { close } of backends) await close()
  })
})
