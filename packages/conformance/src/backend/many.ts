import { expect, it } from 'vitest'
import { allArtifacts, upload } from '../support/artifacts.js'
import { allAspects, draft, ENTITY, idsOf, update } from '../support/aspects.js'
import type { BackendPlace } from './place.js'

const COUNT = 1030

/** More records than a server lists in one page. */
export function many(place: BackendPlace): void {
  it(`${COUNT} aspects of one entity`, { timeout: 300_000 }, async () => {
    const written = await concurrently(COUNT, (n) => place.at.aspects.assert(draft({ n }), 'add', {}))
    const listed = await allAspects(place.at, { entity: ENTITY })
    expect(listed).toHaveLength(COUNT)
    expect(new Set(idsOf(listed))).toEqual(new Set(idsOf(written)))
    const times = listed.map((r) => `${r.validFrom}`)
    expect(times).toEqual([...times].sort().reverse())
  })

  it(`${COUNT} entities of one schema`, { timeout: 300_000 }, async () => {
    const schema = 'urn:example:schema:many.1'
    await concurrently(COUNT, (n) =>
      place.at.aspects.assert(draft({ n }, { entity: `${ENTITY}:${n}`, schema }), 'add', {}),
    )
    const listed = await allAspects(place.at, { schema })
    const numbers = listed.map((r) => Number(r.content?.['n']))
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, n) => n))
  })

  it('1 current record after 120 updates', { timeout: 300_000 }, async () => {
    for (let n = 0; n < 120; n++) await update(place.at, { n })
    expect(await allAspects(place.at, { entity: ENTITY })).toMatchObject([{ content: { n: 119 } }])
  })

  it('120 artifacts', { timeout: 300_000 }, async () => {
    const written = await concurrently(120, (n) => upload(place.at, `${n}`, { name: `${n}` }))
    const listed = await allArtifacts(place.at)
    expect(listed).toHaveLength(120)
    expect(new Set(idsOf(listed))).toEqual(new Set(idsOf(written)))
  })
}

/** Runs eight calls at a time. */
async function concurrently<T>(count: number, run: (n: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    while (next < count) results.push(await run(next++))
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return results
}
