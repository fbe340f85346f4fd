import { type Backend, type BlobStore, isIvcapError } from '@ivcap/core/driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aspectQuery } from './support/aspects.js'
import { bytesOf, put } from './support/blobs.js'

export interface RaceOptions {
  /** Opens another client of the same store, as another process would. The store must be empty at the first call. */
  open(): Promise<{ readonly blobs: BlobStore; readonly backend: Backend }>
  close(): Promise<void>
}

const SCHEMA = 'urn:test:schema:survey.1'
const WRITERS = 8
const CLIENTS = 4

/** Registers tests in which many writers create the same key or update the same aspect. Call it from a vitest file. */
export function describeRaces(name: string, { open, close }: RaceOptions): void {
  describe(`${name}, ${WRITERS} writers at once`, { timeout: 240_000 }, () => {
    const views: Awaited<ReturnType<RaceOptions['open']>>[] = []
    const viewOf = (n: number) => views[n % CLIENTS] ?? expect.unreachable()
    const all = <T>(write: (n: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: WRITERS }, (_, n) => write(n)))

    beforeAll(async () => {
      for (let n = 0; n < CLIENTS; n++) views.push(await open())
    })
    afterAll(close)

    it('create a key: one wins, 30 times of 30', async () => {
      for (let round = 0; round < 30; round++) {
        const key = `race/${round}`
        const outcomes = await all(async (n) => {
          try {
            await put(viewOf(n).blobs, key, `writer ${n}`)
            return n
          } catch (error) {
            if (!isIvcapError(error, 'already-exists')) throw error
            return undefined
          }
        })
        const winners = outcomes.filter((n) => n !== undefined)
        expect(winners).toHaveLength(1)
        for (const { blobs } of views) expect(String(await bytesOf(blobs, key))).toBe(`writer ${winners[0]}`)
      }
    })

    it('update an aspect: one is current, and each is found by its id, in 20 rounds', async () => {
      const { aspects } = viewOf(0).backend
      for (let round = 0; round < 20; round++) {
        const entity = `urn:test:reef:${round}`
        const records = await all((n) => {
          const draft = { entity, schema: SCHEMA, content: { $schema: SCHEMA, n } }
          return viewOf(n).backend.aspects.assert(draft, 'replace', {})
        })
        const { items } = await aspects.list(aspectQuery({ entity, schema: SCHEMA, limit: 50 }), {})
        expect(items).toHaveLength(1)
        const [current] = items
        expect(records.map(({ id }) => id)).toContain(current?.id)
        for (const [n, { id }] of records.entries()) {
          const { content, validTo } = await aspects.get(id, {})
          expect(content?.['n']).toBe(n)
          expect(validTo === undefined).toBe(id === current?.id)
        }
      }
    })
  })
}
