import { Ivcap } from '@ivcap/core'
import type { Backend } from '@ivcap/core/driver'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { expectBytes, MiB, someBytes } from '../support/bytes.js'
import { expectError } from '../support/expect-error.js'
import type { BackendPlace } from './place.js'

const ENTITY = 'urn:example:reef:7'
const SCHEMA = 'urn:example:schema:survey.1'
const OTHER = 'urn:example:schema:note.1'
const REEF = 'urn:ivcap:collection:reef-7'
const HOUR = 3_600_000

/** Handles whose record, folder or connection has changed since they were made, clocks that are set back, and limits of numbers. */
export function worldMovedHandles(place: BackendPlace): void {
  const client = (backend: Backend = place.at) => new Ivcap(backend, { stateDir: false })
  const another = async () => client(await place.reopen())
  const store = (ivcap: Ivcap, content: Uint8Array, name = 'reef.bin') =>
    ivcap.uploadArtifact({ name, content: content.slice(), contentType: 'application/x-reef' })

  describe('an artifact', () => {
    it('of a view that was closed is the same in one that is opened after', async () => {
      const content = someBytes(300_000)
      const { id, record } = await store(client(), content)
      await client().close()
      const artifact = await (await another()).getArtifact(id)
      expect(artifact.record).toEqual({ ...record, ...artifact.record })
      expectBytes(await artifact.bytes(), content)
    })

    it('closing twice is closing once', async () => {
      const ivcap = client()
      await ivcap.close()
      await ivcap.close()
    })

    it('that was stored anew under its name tells it when it is refreshed, where names are ids', async () => {
      const old = someBytes(1000)
      const stored = someBytes(2 * MiB + 1, 2)
      const handle = await store(client(), old)
      const { etag } = handle
      const { id } = await store(await another(), stored)
      const isReplaced = place.capabilities.ids === 'path'
      expect(id === handle.id).toBe(isReplaced)
      await handle.refresh()
      expect(handle.size).toBe(isReplaced ? stored.byteLength : old.byteLength)
      expect(handle.etag === etag).toBe(!isReplaced)
      expectBytes(await handle.bytes(), isReplaced ? stored : old)
    })

    it('has the metadata that others add, and no longer what they retract', async () => {
      const handle = await store(client(), someBytes(10))
      const other = await another()
      const aspect = await other.addAspect(handle.id, { $schema: OTHER, n: 1 })
      await handle.addMetadata({ $schema: OTHER, n: 2 })
      const numbers = async () =>
        (await handle.metadata({ schema: OTHER }).toArray()).map(({ content }) => content['n']).sort()
      expect(await numbers()).toEqual([1, 2])
      await aspect.retract()
      expect(await numbers()).toEqual([2])
    })
  })

  describe('an aspect', () => {
    const added = () => client().addAspect(ENTITY, { $schema: SCHEMA, n: 1 })

    it('that another has retracted keeps its content, and its end when it is retracted again', async () => {
      const handle = await added()
      const other = await (await another()).getAspect(handle.id)
      const { validTo } = (await other.retract()).record
      expect(handle.validTo).toBeUndefined()
      expect(handle.content['n']).toBe(1)
      await handle.retract()
      expect(validTo).toBeDefined()
      expect(handle.record.validTo).toBe(validTo)
      expect(handle.content['n']).toBe(1)
    })

    it('that another has replaced is retracted without ending what replaced it', async () => {
      const handle = await added()
      const other = await (await another()).updateAspect(ENTITY, { $schema: SCHEMA, n: 2 })
      expect((await other.load()).replaces).toBe(handle.id)
      await handle.retract()
      expect(handle.record.validTo).toBe(other.record.validFrom)
      const listed = await client().listAspects({ entity: ENTITY, schema: SCHEMA }).toArray()
      expect(listed.map(({ id }) => id)).toEqual([other.id])
    })

    it('is found in its history however many have replaced it meanwhile', async () => {
      const first = await added()
      const ids = [first.id]
      for (let n = 2; n < 7; n++) {
        const ivcap = n % 2 === 0 ? client() : await another()
        ids.unshift((await ivcap.updateAspect(ENTITY, { $schema: SCHEMA, n })).id)
      }
      const [newest = ''] = ids
      const history: string[] = []
      for await (const { id } of (await client().getAspect(newest)).history()) history.push(id)
      expect(history).toEqual(ids)
    })
  })

  it('a collection that another has retracted has no items, and takes none', async () => {
    const reef = await client().createCollection({ id: REEF, name: 'Reef' })
    await reef.add('urn:example:photo:1')
    await (await another()).retractCollection(REEF)
    expect(await reef.items().toArray()).toEqual([])
    await expectError(client().getCollection(REEF), 'not-found')
    await expectError(reef.refresh(), 'not-found')
  })

  describe('a clock that is set back between two writes', () => {
    const setBack = () => {
      const now = Date.now() - HOUR
      const spy = vi.spyOn(Date, 'now').mockImplementation(() => now)
      const setRight = () => spy.mockRestore()
      onTestFinished(setRight)
      return setRight
    }

    it('leaves updates in their order, each in force after the other', async () => {
      const first = await client().updateAspect(ENTITY, { $schema: SCHEMA, n: 1 })
      setBack()
      const second = await (await another()).updateAspect(ENTITY, { $schema: SCHEMA, n: 2 })
      const third = await client().updateAspect(ENTITY, { $schema: SCHEMA, n: 3 })
      const records = []
      for (const { id } of [first, second, third]) records.push((await client().getAspect(id)).record)
      for (const [i, { id, validFrom, validTo }] of records.entries()) {
        const next = records[i + 1]
        expect(validTo).toBe(next?.validFrom)
        if (next === undefined) continue
        expect(next.replaces).toBe(id)
        expect((next.validFrom ?? '') > (validFrom ?? '')).toBe(true)
      }
      const listed = await client().listAspects({ entity: ENTITY }).toArray()
      expect(listed.map(({ id }) => id)).toEqual([third.id])
    })

    it('never ends a record before it begins', async () => {
      const aspect = await client().addAspect(ENTITY, { $schema: SCHEMA, n: 1 })
      const setRight = setBack()
      const { record } = await (await another()).getAspect(aspect.id).then((other) => other.retract())
      expect((record.validTo ?? '') > (record.validFrom ?? '')).toBe(true)
      setRight()
      expect(await client().listAspects({ entity: ENTITY }).toArray()).toEqual([])
      const then = await client()
        .listAspects({ entity: ENTITY, atTime: record.validFrom ?? '' })
        .toArray()
      expect(then.map(({ id }) => id)).toEqual([aspect.id])
    })

    it('leaves content and names as they were stored', async () => {
      const content = someBytes(1000)
      const before = await store(client(), content, 'before.bin')
      setBack()
      const after = await store(await another(), content, 'after.bin')
      for (const { id, name } of [before, after]) {
        const artifact = await client().getArtifact(id)
        expect(artifact.name).toBe(name)
        expectBytes(await artifact.bytes(), content)
      }
      expect((await client().listArtifacts().toArray()).map(({ id }) => id).sort()).toEqual(
        [before.id, after.id].sort(),
      )
    })
  })

  describe('options at the edges of their numbers', () => {
    it.each([
      [1, 1],
      [2, 2],
      [3, 3],
      [50, 3],
      [51, 3],
      [Number.MAX_SAFE_INTEGER, 3],
      [Number.POSITIVE_INFINITY, 3],
    ])('limit %d of three lists %d', async (limit, count) => {
      const ivcap = client()
      for (let n = 0; n < 3; n++) await ivcap.addAspect(ENTITY, { $schema: SCHEMA, n })
      for (let n = 0; n < 3; n++) await store(ivcap, someBytes(n), `${n}.bin`)
      expect(await ivcap.listAspects({ entity: ENTITY, limit }).toArray()).toHaveLength(count)
      expect(await ivcap.listArtifacts({ limit }).toArray()).toHaveLength(count)
    })

    it.each([2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, 59_999.5])(
      'a timeout of %d ms does not end what takes less',
      async (timeout) => {
        const { id } = await client().uploadArtifact({ name: 'a.txt', content: 'reef', timeout })
        expect((await client().getArtifact(id, { timeout })).id).toBe(id)
        expect(await client().listArtifacts({ timeout }).toArray()).toHaveLength(1)
        const aspect = await client().updateAspect(ENTITY, { $schema: SCHEMA, n: 1 }, { timeout })
        expect((await aspect.retract({ timeout })).validTo).toBeInstanceOf(Date)
      },
    )

    it.each([-1, Number.NaN, Number.NEGATIVE_INFINITY])('%d is no timeout and no limit', async (number) => {
      const { id } = await client().uploadArtifact({ name: 'a.txt', content: 'reef' })
      await expectError(client().getArtifact(id, { timeout: number }), 'invalid-argument', 'timeout')
      expect(() => client().listArtifacts({ limit: number })).toThrow(/limit/)
    })

    it.each([
      [0, 1],
      [999, 1000],
      [0, 1000],
      [0, 2 ** 31],
      [999, Number.MAX_SAFE_INTEGER],
    ])('a range from %d to %d of 1000 bytes ends with them', async (start, end) => {
      const content = someBytes(1000)
      const handle = await store(client(), content)
      const read = await new Response(handle.asStream({ range: { start, end } })).arrayBuffer()
      expectBytes(new Uint8Array(read), content.slice(start, end))
    })
  })
}
