import { expect, it } from 'vitest'
import { allAspects, draft, ENTITY, idsOf, SCHEMA, update } from '../support/aspects.js'
import type { BackendPlace } from './place.js'

/** Concurrent writers in several processes: one record is current, and no acknowledged record is lost. */
export function aspectRaces(place: BackendPlace): void {
  it('of 8 updates at once exactly one is current, and all are read by their ids', async () => {
    const writers = [place.at, await place.reopen(), await place.reopen()]
    const written = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        (writers[n % writers.length] ?? place.at).aspects.assert(draft({ n }), 'replace', {}),
      ),
    )
    expect(new Set(idsOf(written)).size).toBe(8)
    for (const reader of [place.at, await place.reopen()]) {
      const [current, ...others] = await allAspects(reader, { entity: ENTITY })
      expect(others).toEqual([])
      expect(idsOf(written)).toContain(current?.id)
      const records = await Promise.all(written.map(({ id }) => reader.aspects.get(id, {})))
      expect(records.map((r) => r.content?.['n'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      expect(records.filter((r) => r.validTo === undefined).map((r) => r.id)).toEqual([current?.id])
      expectChain(records)
    }
  })

  it('while one record takes the place of the other there is always one to be seen', async () => {
    const entities = Array.from({ length: 16 }, (_, n) => `urn:example:reef:${n}`)
    for (const entity of entities) await update(place.at, { n: 0 }, { entity })
    await Promise.all(
      entities.map(async (entity) => {
        let written = false
        const writing = update(place.at, { n: 1 }, { entity }).finally(() => {
          written = true
        })
        while (!written) expect(await allAspects(place.at, { entity, schema: SCHEMA })).toHaveLength(1)
        await writing
      }),
    )
  })

  it('of 32 adds at once all are current', async () => {
    const other = await place.reopen()
    const written = await Promise.all(
      Array.from({ length: 32 }, (_, n) =>
        (n % 2 ? place.at : other).aspects.assert(draft({ n }), 'add', {}),
      ),
    )
    const listed = await allAspects(place.at, { entity: ENTITY })
    expect(new Set(idsOf(listed))).toEqual(new Set(idsOf(written)))
    expect(listed).toHaveLength(32)
  })

  it('of 8 retractions at once all succeed, and the record has one end', async () => {
    const other = await place.reopen()
    const { id } = await place.at.aspects.assert(draft({ n: 1 }), 'replace', {})
    await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? place.at : other).aspects.retract(id, {})))
    const { validTo } = await place.at.aspects.get(id, {})
    expect(validTo).toBeDefined()
    expect((await other.aspects.get(id, {})).validTo).toBe(validTo)
  })

  it('an update that races with a retraction of the same record is not lost', async () => {
    const other = await place.reopen()
    const { id } = await place.at.aspects.assert(draft({ n: 1 }), 'replace', {})
    const [updated] = await Promise.all([
      place.at.aspects.assert(draft({ n: 2 }), 'replace', {}),
      other.aspects.retract(id, {}),
    ])
    expect(idsOf(await allAspects(place.at, { entity: ENTITY }))).toEqual([updated.id])
  })
}

/** Expects each record except the first to replace the previous one, and to begin when that one ends. */
function expectChain(
  records: readonly { id: string; replaces?: string; validFrom?: string; validTo?: string }[],
): void {
  const byTime = [...records].sort((a, b) => (`${a.validFrom}` < `${b.validFrom}` ? -1 : 1))
  expect(new Set(byTime.map((r) => r.validFrom)).size).toBe(records.length)
  expect(byTime.slice(0, -1).map((r) => r.validTo)).toEqual(byTime.slice(1).map((r) => r.validFrom))
  expect(byTime.slice(1).map((r) => r.replaces)).toEqual(byTime.slice(0, -1).map((r) => r.id))
}
