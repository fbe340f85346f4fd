import { aspectUrn } from '@ivcap/core/driver'
import { aspectUuid, parseTimestamp } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { add, allAspects, draft, ENTITY, idsOf, SCHEMA, update } from '../support/aspects.js'
import { expectError } from '../support/expect-error.js'
import type { BackendPlace } from './place.js'

const POLICY = 'urn:ivcap:policy:7f3c9d50-6a52-4d0e-9b4f-0c3c7d0e7c11'

/** Adding, replacing and retracting aspects: which ones are current, and which ones remain. */
export function aspectLifecycle(place: BackendPlace): void {
  const current = (of: { entity?: string; schema?: string } = { entity: ENTITY }) => allAspects(place.at, of)

  it('an added record is in force from now on', async () => {
    const record = await add(place.at, { n: 1 })
    expect(aspectUrn(aspectUuid(record.id) ?? '')).toBe(record.id)
    expect(parseTimestamp(record.validFrom)).toBe(record.validFrom)
    expect(record.validTo).toBeUndefined()
    expect(idsOf(await current())).toEqual([record.id])
  })

  it('the answer to an assertion tells nothing that the record does not', async () => {
    for (const mode of ['add', 'replace'] as const) {
      const answer = await place.at.aspects.assert(draft({ n: mode }), mode, {})
      expect(await place.at.aspects.get(answer.id, {})).toMatchObject({ ...answer })
    }
  })

  it('keeps the policy', async () => {
    const { id } = await place.at.aspects.assert({ ...draft({ n: 1 }), policy: POLICY }, 'add', {})
    expect((await place.at.aspects.get(id, {})).policy).toBe(POLICY)
  })

  it('adding twice keeps both', async () => {
    const records = [await add(place.at, { n: 1 }), await add(place.at, { n: 1 })]
    expect(idsOf(await current())).toEqual([...idsOf(records)].reverse())
  })

  it('an update of nothing is the first record', async () => {
    const record = await update(place.at, { n: 1 })
    expect(record.replaces).toBeUndefined()
    expect(idsOf(await current())).toEqual([record.id])
  })

  it('updates close one after the other, each where the next begins', async () => {
    const records = [
      await update(place.at, { n: 1 }),
      await update(place.at, { n: 2 }),
      await update(place.at, { n: 3 }),
    ]
    expect(idsOf(await current())).toEqual([records[2]?.id])
    const history = await Promise.all(records.map(({ id }) => place.at.aspects.get(id, {})))
    expect(history.map((r) => r.validTo)).toEqual([records[1]?.validFrom, records[2]?.validFrom, undefined])
    expect(history.map((r) => r.replaces)).toEqual([undefined, records[0]?.id, records[1]?.id])
    expect(history.map((r) => r.content?.['n'])).toEqual([1, 2, 3])
  })

  it('an update closes all that was added, and goes back to one of them', async () => {
    const added = [await add(place.at, { n: 1 }), await add(place.at, { n: 2 })]
    const record = await update(place.at, { n: 3 })
    expect(idsOf(await current())).toEqual([record.id])
    for (const { id } of added) {
      expect((await place.at.aspects.get(id, {})).validTo).toBe(record.validFrom)
    }
    expect(idsOf(added)).toContain(record.replaces)
  })

  it('an update leaves other entities and other schemas alone', async () => {
    const others = [
      await add(place.at, { n: 1 }, { entity: `${ENTITY}0` }),
      await add(place.at, { n: 1 }, { schema: `${SCHEMA}0` }),
      await update(place.at, { n: 1 }, { schema: `${SCHEMA}.` }),
    ]
    const record = await update(place.at, { n: 2 })
    expect([...idsOf(await current({}))].sort()).toEqual([...idsOf(others), record.id].sort())
  })

  it('a retracted record is read by its id, and is not current', async () => {
    const record = await add(place.at, { n: 1 })
    await place.at.aspects.retract(record.id, {})
    expect(await current()).toEqual([])
    const { validTo, content, validFrom } = await place.at.aspects.get(record.id, {})
    expect(`${validTo}` > record.validFrom).toBe(true)
    expect({ content, validFrom }).toEqual({ content: record.content, validFrom: record.validFrom })
  })

  it('a record is retracted once: again changes nothing', async () => {
    const { id } = await update(place.at, { n: 1 })
    await place.at.aspects.retract(id, {})
    const closed = await place.at.aspects.get(id, {})
    await place.at.aspects.retract(id, {})
    expect(await place.at.aspects.get(id, {})).toEqual(closed)
  })

  it('retracting what was replaced leaves what replaced it', async () => {
    const first = await update(place.at, { n: 1 })
    const second = await update(place.at, { n: 2 })
    await place.at.aspects.retract(first.id, {})
    expect(idsOf(await current())).toEqual([second.id])
    expect((await place.at.aspects.get(first.id, {})).validTo).toBe(second.validFrom)
  })

  it('an update after a retraction begins anew, not before the retraction', async () => {
    const first = await update(place.at, { n: 1 })
    await place.at.aspects.retract(first.id, {})
    const { validTo } = await place.at.aspects.get(first.id, {})
    const second = await update(place.at, { n: 2 })
    expect(second.validFrom >= `${validTo}`).toBe(true)
    expect((await place.at.aspects.get(first.id, {})).validTo).toBe(validTo)
    expect(idsOf(await current())).toEqual([second.id])
  })

  it('a record that nobody wrote is neither read nor retracted', async () => {
    const id = aspectUrn('00000000-0000-4000-8000-000000000000')
    await expectError(place.at.aspects.get(id, {}), 'not-found')
    await expectError(place.at.aspects.retract(id, {}), 'not-found')
  })
}
