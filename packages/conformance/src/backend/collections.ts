import { Ivcap } from '@ivcap/core'
import { expect, it } from 'vitest'
import { expectError, rejectionOf } from '../support/expect-error.js'
import type { BackendPlace } from './place.js'

const REEF = 'urn:ivcap:collection:reef-7'
const OTHER = 'urn:ivcap:collection:reef-8'
const POLICY = 'urn:ivcap:policy:7f3c9d50-6a52-4d0e-9b4f-0c3c7d0e7c11'
const itemUrn = (n: number | string) => `urn:example:photo:${n}`

/** Collections (named sets of things), through the API of the client. */
export function collections(place: BackendPlace): void {
  const client = () => new Ivcap(place.at, { stateDir: false })
  const itemsOf = async (id: string) => {
    const items = await (await client().getCollection(id)).items().toArray()
    return items.map(({ item }) => item)
  }
  /** Creates the collection and adds the photos with these numbers, one after the other. */
  const reefWith = async (...numbers: readonly number[]) => {
    const reef = await client().createCollection({ id: REEF, name: 'Reef' })
    for (const n of numbers) await reef.add(itemUrn(n))
    return reef
  }

  it('a collection has a name, a description and a URN of its own', async () => {
    const made = await client().createCollection({ name: 'Grüße 🐠', description: 'of 2026' })
    expect(made.id).toMatch(/^urn:ivcap:collection:[0-9a-f-]{36}$/)
    const read = await client().getCollection(made.id)
    const expected = { id: made.id, name: 'Grüße 🐠', description: 'of 2026' }
    expect([made.toJSON(), read.toJSON()]).toEqual([expected, expected])
    expect(read.validFrom).toBeInstanceOf(Date)
    expect(await read.items().toArray()).toEqual([])
  })

  it('keeps the policy', async () => {
    const reef = await client().createCollection({ id: REEF, name: 'Reef', policy: POLICY })
    const photo = await reef.add(itemUrn(1), { policy: POLICY })
    for (const id of [reef.record.id, photo?.id ?? '']) {
      expect((await client().getAspect(id)).policy).toBe(POLICY)
    }
  })

  it('creating it again renames it, and leaves its items', async () => {
    const reef = await reefWith(1)
    const before = (await client().getCollection(REEF)).record.validFrom ?? ''
    await client().createCollection({ id: REEF, name: 'Reef 7' })
    expect(await client().listCollections().toArray()).toHaveLength(1)
    expect((await reef.refresh()).toJSON()).toEqual({ id: REEF, name: 'Reef 7' })
    expect((await client().getCollection(REEF, { atTime: before })).name).toBe('Reef')
    expect(await itemsOf(REEF)).toEqual([itemUrn(1)])
  })

  it('are listed, newest first', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `Reef ${n}`)
    for (const name of names) await client().createCollection({ name })
    const listed = await client().listCollections().toArray()
    expect(listed.map(({ name }) => name)).toEqual(names.reverse().slice(0, 10))
    expect(await client().listCollections({ limit: Number.POSITIVE_INFINITY }).toArray()).toHaveLength(12)
  })

  it('hold what was added, newest first, each collection its own', async () => {
    await reefWith(1, 2, 3)
    await client().createCollection({ id: OTHER, name: 'Other' })
    const added = await client().addToCollection(OTHER, itemUrn(1))
    expect(added).toMatchObject({ collection: OTHER, item: itemUrn(1) })
    expect(await itemsOf(REEF)).toEqual([3, 2, 1].map(itemUrn))
    expect(await itemsOf(OTHER)).toEqual([itemUrn(1)])
  })

  it('items come over pages, all of them unless a limit is given', async () => {
    const reef = await reefWith()
    await client().addAspects(
      Array.from({ length: 120 }, (_, n) => ({
        entity: REEF,
        content: { $schema: 'urn:ivcap:schema:collection-item.1', collection: REEF, item: itemUrn(n) },
      })),
    )
    expect(new Set(await itemsOf(REEF)).size).toBe(120)
    expect(await reef.items({ limit: 7 }).toArray()).toHaveLength(7)
  })

  it('many are added at the same time', async () => {
    const reef = await reefWith()
    const numbers = Array.from({ length: 32 }, (_, n) => n)
    await Promise.all(numbers.map((n) => reef.add(itemUrn(n))))
    expect([...(await itemsOf(REEF))].sort()).toEqual(numbers.map(itemUrn).sort())
  })

  it('what is taken out was in there, and what was not is not', async () => {
    const reef = await reefWith(1, 2, 3)
    const before = (await client().listAspects({ entity: REEF }).toArray())[0]?.record.validFrom ?? ''
    expect(await reef.remove(itemUrn(2))).toBe(true)
    expect(await itemsOf(REEF)).toEqual([3, 1].map(itemUrn))
    expect(await reef.items({ atTime: before }).toArray()).toHaveLength(3)
    expect(await client().removeFromCollection(REEF, itemUrn(2))).toBe(false)
    expect(await client().removeFromCollection(OTHER, itemUrn(1))).toBe(false)
    expect(await reef.add(itemUrn(2))).toMatchObject({ item: itemUrn(2) })
    expect(await itemsOf(REEF)).toEqual([2, 3, 1].map(itemUrn))
  })

  it('an item may be any URN', async () => {
    const reef = await reefWith()
    const odd = [
      'urn:file:///data/a "b"\\c.nc',
      "urn:example:it's",
      'urn:example:ü🐠',
      'urn:example:$.x?(@==1)',
    ]
    for (const item of odd) expect(await reef.add(item)).toMatchObject({ item })
    expect(await itemsOf(REEF)).toEqual([...odd].reverse())
    for (const item of odd) expect(await reef.remove(item)).toBe(true)
    expect(await itemsOf(REEF)).toEqual([])
  })

  it('a retracted collection is gone, with its items', async () => {
    await client().createCollection({ id: OTHER, name: 'Other' })
    const reef = await reefWith(1, 2, 3)
    expect(await reef.retract()).toBe(4)
    await expectError(client().getCollection(REEF), 'not-found')
    await expectError(client().retractCollection(REEF), 'not-found')
    await expectError(reef.refresh(), 'not-found')
    expect(await reef.items().toArray()).toEqual([])
    expect((await client().listCollections().toArray()).map(({ id }) => id)).toEqual([OTHER])
    await reefWith()
    expect(await itemsOf(REEF)).toEqual([])
  })

  it('wrong arguments are said to be wrong before anything is asked', async () => {
    const ivcap = client()
    await expectError(ivcap.createCollection({ name: ' ' }), 'invalid-argument', 'name')
    await expectError(ivcap.createCollection({ name: 'Reef', id: 'reef' }), 'invalid-argument', 'id')
    await expectError(ivcap.createCollection({ name: 'Reef', policy: REEF }), 'invalid-argument', 'policy')
    await expectError(ivcap.getCollection('reef'), 'invalid-argument', 'id')
    await expectError(ivcap.addToCollection('reef', itemUrn(1)), 'invalid-argument', 'collection')
    await expectError(ivcap.addToCollection(REEF, 'photo'), 'invalid-argument', 'item')
    await expectError(ivcap.addToCollection(REEF, ''), 'missing-argument', 'item')
    await expectError(ivcap.removeFromCollection(REEF, 'photo'), 'invalid-argument', 'item')
    await expectError(ivcap.retractCollection('reef'), 'invalid-argument', 'id')
    expect(() => ivcap.listCollections({ nameFilter: '' })).toThrow('nameFilter')
  })

  it('an aborted call has its own reason', async () => {
    const reef = await reefWith(1)
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    const o = { signal }
    for (const call of [
      client().createCollection({ name: 'Reef', signal }),
      client().getCollection(REEF, o),
      client().listCollections(o).toArray(),
      reef.items(o).toArray(),
      reef.add(itemUrn(2), o),
      reef.remove(itemUrn(1), o),
      reef.retract(o),
    ]) {
      expect(await rejectionOf(call)).toBe(reason)
    }
    expect(await itemsOf(REEF)).toEqual([itemUrn(1)])
  })

  if (place.capabilities.recordsUploads) {
    it('an upload goes into the collection that it names', async () => {
      const reef = await reefWith()
      const upload = { name: 'photo.txt', content: 'a reef', contentType: 'text/plain', collection: REEF }
      const { id } = await client().uploadArtifact(upload)
      expect(await itemsOf(REEF)).toEqual([id])
      expect(await reef.remove(id)).toBe(true)
      expect(await itemsOf(REEF)).toEqual([])
    })
  }
}
