import { type AspectQuery, type Timestamp, timestamp } from '@ivcap/core/driver'
import { micros } from '@ivcap/core/internal'
import { expect, it } from 'vitest'
import { add, allAspects, ENTITY, idsOf, SCHEMA, update } from '../support/aspects.js'
import type { BackendPlace } from './place.js'

/** Time travel: a record is in force at T if it began at or before T and had not ended at T, to the microsecond. */
export function aspectTime(place: BackendPlace): void {
  const before = (time: Timestamp) => timestamp(micros(time) - 1)
  const after = (time: Timestamp) => timestamp(micros(time) + 1)
  const at = async (atTime: Timestamp, q: Partial<AspectQuery> = { entity: ENTITY, schema: SCHEMA }) =>
    idsOf(await allAspects(place.at, { ...q, atTime }))
  const endOf = async ({ id }: { id: `urn:${string}` }) => `${(await place.at.aspects.get(id, {})).validTo}`

  it('an added record: from its beginning until its end', async () => {
    const record = await add(place.at, { n: 1 })
    await place.at.aspects.retract(record.id, {})
    const validTo = await endOf(record)
    expect(await at(before(record.validFrom))).toEqual([])
    expect(await at(record.validFrom)).toEqual([record.id])
    expect(await at(before(validTo))).toEqual([record.id])
    expect(await at(validTo)).toEqual([])
    expect(await at(after(validTo))).toEqual([])
  })

  // known failure: local-history
  it('updates: at every moment exactly one', async () => {
    const records = [
      await update(place.at, { n: 1 }),
      await update(place.at, { n: 2 }),
      await update(place.at, { n: 3 }),
    ]
    const [first, second, third] = records.map((r) => r.id)
    expect(await at(before(records[0]?.validFrom ?? ''))).toEqual([])
    expect(await at(records[0]?.validFrom ?? '')).toEqual([first])
    expect(await at(before(records[1]?.validFrom ?? ''))).toEqual([first])
    expect(await at(records[1]?.validFrom ?? '')).toEqual([second])
    expect(await at(before(records[2]?.validFrom ?? ''))).toEqual([second])
    expect(await at(records[2]?.validFrom ?? '')).toEqual([third])
    expect(await at('2200-01-01T00:00:00.000000Z')).toEqual([third])
  })

  it.each<[string, Partial<AspectQuery>]>([
    ['one entity and schema', { entity: ENTITY, schema: SCHEMA }],
    ['one schema', { schema: SCHEMA }],
    ['a pattern of schemas', { schema: 'urn:example:schema:%' }],
    ['one entity', { entity: ENTITY }],
    ['everything', {}],
  ])('also asked by %s', async (_, query) => {
    const first = await update(place.at, { n: 1 })
    const second = await update(place.at, { n: 2 })
    await place.at.aspects.retract(second.id, {})
    expect(await at(before(first.validFrom), query)).toEqual([])
    expect(await at(first.validFrom, query)).toEqual([first.id])
    expect(await at(second.validFrom, query)).toEqual([second.id])
    expect(await at(await endOf(second), query)).toEqual([])
    expect(idsOf(await allAspects(place.at, query))).toEqual([])
  })

  // known failure: local-history
  it('the past stays as it was, whatever happens later', async () => {
    const first = await update(place.at, { n: 1 })
    const moment = first.validFrom
    const seen = await at(moment)
    await update(place.at, { n: 2 })
    await add(place.at, { n: 3 })
    await place.at.aspects.retract(first.id, {})
    expect(await at(moment)).toEqual(seen)
  })
}
