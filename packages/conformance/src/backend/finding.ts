import { Ivcap, type IvcapEvent, type Where } from '@ivcap/core'
import { beforeEach, expect, it } from 'vitest'
import { expectError } from '../support/expect-error.js'
import type { BackendPlace } from './place.js'

const QUALITY = 'urn:example:schema:quality.1'
const SITE = 'urn:example:schema:site.1'

/** Finding artifacts by their aspects. */
export function finding(place: BackendPlace): void {
  let ids: readonly string[]
  const client = (onEvent?: (event: IvcapEvent) => void) =>
    new Ivcap(place.at, { stateDir: false, ...(onEvent && { onEvent }) })
  const found = async (o: Parameters<Ivcap['findArtifacts']>[0]) =>
    (await client().findArtifacts(o).toArray()).map(({ id }) => ids.indexOf(id))
  const where = (condition: Where) => found({ schema: QUALITY, where: condition })

  beforeEach(async () => {
    const ivcap = client()
    const artifacts = []
    for (const [n, depth] of [3, 12, 30, 50].entries()) {
      const artifact = await ivcap.uploadArtifact({ name: `cast-${n}.csv`, content: `cast ${n}` })
      const tags = n % 2 === 0 ? ['coral', 'survey'] : ['survey']
      const images = [{ size: n * 1000 }, { size: 1 }]
      await artifact.addMetadata({
        $schema: QUALITY,
        depth,
        tags,
        images,
        ...(n === 3 && { note: 'fog, no wind' }),
      })
      if (n < 3) await artifact.addMetadata({ $schema: SITE, reef: n === 1 ? 'Heron' : 'Lizard' })
      artifacts.push(artifact)
    }
    ids = artifacts.map(({ id }) => id)
    await ivcap.addAspect('urn:example:no-artifact', { $schema: QUALITY, depth: 12, tags: ['coral'] })
  })

  it('by tag, range, text, nested list, absent field, and what is not so', async () => {
    expect(await where({ tags: 'coral' })).toEqual([2, 0])
    expect(await where({ depth: { gt: 10, lt: 50 } })).toEqual([2, 1])
    expect(await where({ note: { like: '%wind' } })).toEqual([3])
    expect(await where({ 'images.size': { gte: 2000 } })).toEqual([3, 2])
    expect(await where({ note: { exists: false } })).toEqual([2, 1, 0])
    expect(await where({ not: { tags: 'coral' } })).toEqual([3, 1])
    expect(await where({ or: [{ depth: 3 }, { depth: { in: [50, 51] } }] })).toEqual([3, 0])
    expect(await where({ depth: 4 })).toEqual([])
  })

  it('by several schemas, of which each must be met', async () => {
    const having = [{ schema: SITE, where: { reef: 'Lizard' } }]
    expect(await found({ schema: QUALITY, where: { tags: 'survey' }, having })).toEqual([2, 0])
    const [match] = await client().findArtifacts({ schema: QUALITY, having, limit: 1 }).toArray()
    expect(match?.name).toBe('cast-2.csv')
    expect(match?.aspects.map(({ content }) => [content?.['depth'], content?.['reef']])).toEqual([
      [30, undefined],
      [undefined, 'Lizard'],
    ])
  })

  it('each once, in the order that is asked for, up to the limit', async () => {
    const ivcap = client()
    await ivcap.addAspect(ids[0] ?? '', { $schema: QUALITY, depth: 4 })
    expect(await found({ schema: QUALITY })).toEqual([0, 3, 2, 1])
    expect(await found({ schema: QUALITY, limit: 2 })).toEqual([0, 3])
    expect(await found({ schema: QUALITY, orderDirection: 'ASC' })).toEqual([0, 1, 2, 3])
  })

  it('a listing says whether there is more than its limit', async () => {
    const listing = client().findArtifacts({ schema: QUALITY, limit: 2 })
    expect(listing.truncated).toBeUndefined()
    await listing.toArray()
    expect(listing.truncated).toBe(true)
    const all = client().listArtifacts({ limit: 4 })
    expect(await all.toArray()).toHaveLength(4)
    expect(all.truncated).toBe(false)
    for await (const _ of all) break
    const some = client().listArtifacts({ limit: 3 })
    for await (const _ of some);
    expect(some.truncated).toBe(true)
  })

  it('as it was at a time', async () => {
    const ivcap = client()
    const [before] = await ivcap.listAspects({ entity: ids[0], schema: QUALITY }).toArray()
    await ivcap.updateAspect(ids[0] ?? '', { $schema: QUALITY, depth: 100 })
    expect(await where({ depth: 3 })).toEqual([])
    expect(await found({ schema: QUALITY, where: { depth: 3 }, atTime: before?.record.validFrom })).toEqual([
      0,
    ])
  })

  it('an artifact that is gone is left out, and told', async () => {
    const events: IvcapEvent[] = []
    const gone = ids[0]?.replace(/[^/:]*$/, '00000000-0000-4000-8000-000000000000') ?? ''
    await client().addAspect(gone, { $schema: QUALITY, depth: 12 })
    const listing = client((event) => events.push(event)).findArtifacts({
      schema: QUALITY,
      where: { depth: 12 },
    })
    expect((await listing.toArray()).map(({ id }) => ids.indexOf(id))).toEqual([1])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'left-out', resource: gone }))
  })

  it('aspects by conditions, too; a content path beside them is refused', async () => {
    const ivcap = client()
    const aspects = await ivcap.listAspects({ schema: QUALITY, where: { depth: 12 } }).toArray()
    expect(aspects.map(({ entity }) => entity).sort()).toEqual([ids[1], 'urn:example:no-artifact'].sort())
    const both = () => ivcap.listAspects({ where: { depth: 12 }, contentPath: '$.depth' })
    await expectError((async () => both())(), 'invalid-argument', 'where')
  })
}
