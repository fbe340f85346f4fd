import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Ivcap } from '../src/client/ivcap.js'
import { micros } from '../src/model/time.js'
import { damageable, NOTE, recordKey, TAG } from './support/damage.js'
import { randomOf } from './support/random.js'

const ENTITIES = ['urn:test:entity:1', 'urn:test:entity:2']
const DAY = 24 * 60 * 60 * 1_000_000

/** Artifacts, records that were added, updated, retracted, in several schemas. */
async function filled() {
  const place = damageable()
  const { ivcap } = place
  for (const name of ['a', 'b'])
    await ivcap.uploadArtifact({ name, content: name, contentType: 'text/plain' })
  for (const entity of ENTITIES) {
    for (const schema of [TAG, NOTE]) {
      const add = (n: number) => ivcap.addAspect(entity, { $schema: schema, n })
      const update = (n: number) => ivcap.updateAspect(entity, { $schema: schema, n })
      await add(1)
      await update(2)
      await update(3)
      await (await add(4)).retract()
      await add(5)
    }
    await (await ivcap.updateAspect(entity, { $schema: 'urn:test:schema:other.1' })).retract()
  }
  return place
}

/** Everything that queries can tell. */
async function everything(ivcap: Ivcap, ids: readonly string[]) {
  const times = [
    undefined,
    ...(await Promise.all(ids.map((id) => ivcap.getAspect(id)))).map(({ validFrom }) => validFrom),
  ]
  const seen: unknown[] = []
  for (const atTime of times) {
    for (const q of [
      {},
      { schema: TAG },
      { schema: 'urn:test:schema:%' },
      ...ENTITIES.map((entity) => ({ entity })),
      ...ENTITIES.map((entity) => ({ entity, schema: TAG })),
    ]) {
      const found = await ivcap.listAspects({ ...q, limit: Infinity, ...(atTime && { atTime }) }).toArray()
      seen.push(found.map(({ id }) => id))
    }
  }
  const records = await Promise.all(ids.map((id) => ivcap.getAspect(id)))
  const artifacts = await ivcap.listArtifacts({ limit: Infinity }).toArray()
  const byId = await Promise.all(artifacts.map(({ id }) => ivcap.getArtifact(id)))
  return {
    seen,
    records: records.map(({ id, validFrom, validTo, content }) => ({ id, validFrom, validTo, content })),
    artifacts: byId.map(({ id, name }) => ({ id, name })),
  }
}

/** Ids of all aspects, also of closed ones. */
const idsOf = (place: ReturnType<typeof damageable>) =>
  place.blobs
    .keys('id/')
    .filter((key) => key.endsWith('/r'))
    .map((key) => `urn:ivcap:aspect:${key.slice(3, 39)}`)

describe('a store whose indexes were restored in part', () => {
  it('has nothing to complain of before', async () => {
    const place = await filled()
    expect(await place.view().verify()).toEqual([])
    expect(await place.view().repair()).toEqual([])
  })

  it('is repaired from the records, whatever derived keys are lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        async (seed, rate) => {
          const place = await filled()
          const ids = idsOf(place)
          const before = await everything(place.view(), ids)
          const random = randomOf(seed)
          const truth = new Set(ids.map((id) => recordKey(place.blobs, id)))
          const derived = place.blobs
            .keys()
            .filter(
              (key) =>
                /^(cur|past|schemas|id)\//.test(key) && !truth.has(key) && !/r(\.closed|!.*)$/.test(key),
            )
          const lost = derived.filter(() => random() < rate)
          for (const key of lost) place.blobs.delete(key)
          const kept = place.blobs.keys()
          const found = await place.view().verify()
          expect(found.filter(({ repairable, kind }) => !repairable && kind !== 'orphan')).toEqual([])
          const mended = await place.view().repair()
          expect(mended.length).toBeGreaterThanOrEqual(found.length > 0 ? 1 : 0)
          expect(await everything(place.view(), ids)).toEqual(before)
          expect(await place.view().verify()).toEqual([])
          expect(await place.view().repair()).toEqual([])
          const now = new Set(place.blobs.keys())
          expect(kept.filter((key) => !now.has(key))).toEqual([])
        },
      ),
      { numRuns: 8, seed: 1 },
    )
  })

  it('an artifact whose entry by entity is lost is found by its id, and the loss is told', async () => {
    const place = damageable()
    const { id } = await place.ivcap.uploadArtifact({ name: 'a', content: 'x', contentType: 'text/plain' })
    for (const key of place.blobs.keys('cur/e/')) place.blobs.delete(key)
    expect((await place.view().getArtifact(id)).name).toBe('a')
    expect(place.events).toMatchObject([{ kind: 'fallback', resource: id }])
    expect(await place.view().verify()).toMatchObject([{ kind: 'wrong-index', repairable: true }])
    await place.view().repair()
    expect(place.blobs.keys('cur/e/')).toHaveLength(1)
  })

  it('a lost closing of an added record is rebuilt from the index of the past', async () => {
    const place = damageable()
    const aspect = await place.ivcap.addAspect('urn:x:y', { $schema: TAG })
    await aspect.retract()
    const { validTo } = await place.view().getAspect(aspect.id)
    const closing = place.blobs.keys('id/').find((key) => key.endsWith('.closed')) ?? ''
    place.blobs.delete(closing)
    expect(await place.view().verify()).toMatchObject([{ kind: 'wrong-index', repairable: true }, {}])
    await place.view().repair()
    expect((await place.view().getAspect(aspect.id)).validTo).toEqual(validTo)
    expect(await place.view().verify()).toEqual([])
  })

  it('a lost record is told, and neither invented nor hidden', async () => {
    const place = damageable()
    for (const n of [1, 2, 3]) await place.ivcap.updateAspect('urn:x:y', { $schema: TAG, n })
    const [newest = '', middle = ''] = place.blobs.keys('e/')
    place.blobs.delete(middle)
    const kinds = (await place.view().verify()).map(({ kind, resource }) => [kind, resource])
    expect(kinds).toContainEqual(['unreadable-record', middle])
    place.blobs.delete(newest)
    const later = await place.view().verify()
    expect(later.filter(({ resource }) => resource === newest || resource === middle).length).toBeGreaterThan(
      0,
    )
    expect(later.every(({ repairable }) => !repairable)).toBe(true)
  })

  it('lost records are told though nothing leads to them any more', async () => {
    const place = damageable()
    for (const n of [1, 2, 3, 4]) await place.ivcap.updateAspect('urn:x:y', { $schema: TAG, n })
    await place.ivcap.close()
    const [, third = '', second = ''] = place.blobs.keys('e/')
    for (const key of [
      third,
      second,
      ...['id/', 'cur/', 'past/'].flatMap((prefix) => place.blobs.keys(prefix)),
    ])
      place.blobs.delete(key)
    const lost = (await place.view().verify()).filter(({ kind }) => kind === 'unreadable-record')
    expect(lost).toMatchObject([{ resource: third, message: expect.stringContaining('2 records from') }])
  })

  it('bytes and entries without a record are orphans once they are old', async () => {
    const place = damageable((store) => ({
      ...store,
      list: async (q, o) => {
        const { items, more } = await store.list(q, o)
        return {
          items: items.map((item) => ({
            ...item,
            lastModifiedAt: new Date().toISOString().replace('Z', '000Z'),
          })),
          more,
        }
      },
    }))
    place.write('artifacts/11111111-1111-4111-8111-111111111111', 'x')
    await place.ivcap.addAspect('urn:x:y', { $schema: TAG })
    place.blobs.delete(place.blobs.keys('id/')[0] ?? '')
    expect(await place.view().verify()).toEqual([])
    const later = place.view(() => Date.now() * 1000 + 2 * DAY)
    const found = await later.verify()
    expect(found.map(({ kind }) => kind)).toEqual(['orphan', 'orphan'])
    for (const { message } of found) expect(message).toMatch(/no record/i)
  })

  it('may be repaired while others write', async () => {
    const place = await filled()
    for (const key of place.blobs.keys('cur/')) place.blobs.delete(key)
    const writer = place.view()
    const writing = (async () => {
      for (let n = 0; n < 40; n++) {
        const entity = ENTITIES[n % 2] ?? ''
        const aspect = await writer.updateAspect(entity, { $schema: TAG, n })
        if (n % 5 === 0) await aspect.retract()
      }
    })()
    await Promise.all([writing, place.view().repair(), place.view().repair()])
    await place.view().repair()
    expect(await place.view().verify()).toEqual([])
    for (const entity of ENTITIES)
      expect(
        (await place.view().listAspects({ entity, schema: TAG, limit: Infinity }).toArray()).length,
      ).toBe(1)
  })

  it('hears its signal', async () => {
    const place = await filled()
    const reason = new Error('enough')
    for (const run of ['verify', 'repair'] as const)
      await expect(place.view()[run]({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('clocks that jump', () => {
  const YEAR = 365 * DAY
  const jumps = fc.array(fc.integer({ min: -40, max: 200 }), { minLength: 4, maxLength: 12 })

  it('leave one record in force, in the order of the updates, each ending as the next begins', async () => {
    await fc.assert(
      fc.asyncProperty(jumps, async (years) => {
        const place = damageable()
        const base = Date.now() * 1000
        const ids: string[] = []
        for (const [n, jump] of years.entries()) {
          const view = place.view(() => base + jump * YEAR)
          const made = await view.updateAspect('urn:x:y', { $schema: TAG, n })
          ids.push(made.id)
          if (n % 3 === 2) await made.retract()
        }
        const last = await place.view(() => base).updateAspect('urn:x:y', { $schema: TAG, n: -1 })
        const current = await place
          .view(() => base - 40 * YEAR)
          .listAspects({ entity: 'urn:x:y' })
          .toArray()
        expect(current.map(({ id }) => id)).toEqual([last.id])
        const records = await Promise.all([...ids, last.id].map((id) => place.view().getAspect(id)))
        for (const [i, { validFrom, validTo }] of records.entries()) {
          const next = records[i + 1]
          if (next === undefined) continue
          expect(Number(validTo) >= Number(validFrom)).toBe(true)
          expect(Number(validTo) <= Number(next.validFrom)).toBe(true)
        }
        expect(await place.view().verify()).toEqual([])
      }),
      { numRuns: 20, seed: 1 },
    )
  })

  it('a record of the future is current, and not in force today', async () => {
    const place = damageable()
    const future = place.view(() => micros('2200-01-01T00:00:00.000000Z'))
    const { id } = await future.addAspect('urn:x:y', { $schema: TAG })
    const list = (atTime?: Date) =>
      place
        .view()
        .listAspects({ entity: 'urn:x:y', ...(atTime && { atTime }) })
        .toArray()
    expect((await list()).map((a) => a.id)).toEqual([id])
    expect(await list(new Date())).toEqual([])
    await (await place.view().getAspect(id)).retract()
    expect(await list()).toEqual([])
    expect(await place.view().verify()).toEqual([])
  })
})
