import { expect, it } from 'vitest'
import { allArtifacts, download, upload } from '../support/artifacts.js'
import { add, allAspects, ENTITY, idsOf, update } from '../support/aspects.js'
import { expectBytes, someBytes } from '../support/bytes.js'
import type { BackendPlace } from './place.js'

/** Another process sees the data that one process wrote, and vice versa. */
export function reopening(place: BackendPlace): void {
  it('artifacts', async () => {
    const bytes = someBytes(1_500_000)
    const record = await upload(place.at, bytes, { name: 'reef.nc' })
    const other = await place.reopen()
    expect(await other.artifacts.stat(record.id, {})).toEqual(record)
    expectBytes(await download(other, record.id), bytes)
    expect(await allArtifacts(other)).toEqual(await allArtifacts(place.at))
    const back = await upload(other, bytes, { name: 'reef-2.nc' })
    expect(await place.at.artifacts.stat(back.id, {})).toEqual(back)
  })

  it('aspects: current, replaced and retracted', async () => {
    const added = await add(place.at, { n: 1 })
    const first = await update(place.at, { n: 2 })
    const second = await update(place.at, { n: 3 })
    const extra = await add(place.at, { n: 4 })
    await place.at.aspects.retract(extra.id, {})
    const other = await place.reopen()
    for (const { id } of [added, first, second, extra]) {
      expect(await other.aspects.get(id, {})).toEqual(await place.at.aspects.get(id, {}))
    }
    expect(idsOf(await allAspects(other, { entity: ENTITY }))).toEqual([second.id])
    expect(idsOf(await allAspects(other, { atTime: first.validFrom, entity: ENTITY }))).toEqual([first.id])
  })

  it('views that are open at the same time', async () => {
    const other = await place.reopen()
    const first = await update(place.at, { n: 1 })
    expect(idsOf(await allAspects(other, { entity: ENTITY }))).toEqual([first.id])
    const second = await update(other, { n: 2 })
    expect(second.replaces).toBe(first.id)
    expect(second.validFrom > first.validFrom).toBe(true)
    expect(idsOf(await allAspects(place.at, { entity: ENTITY }))).toEqual([second.id])
    await place.at.aspects.retract(second.id, {})
    expect(await allAspects(other, { entity: ENTITY })).toEqual([])
  })
}
