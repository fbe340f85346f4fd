import { type Backend, contentSource, type OpOptions, type Urn } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { describe, expect, it } from 'vitest'
import { abortingBlobs, interruptedBlobs } from '../src/faults/interrupted-blobs.js'
import { allArtifacts, download, upload } from '../src/support/artifacts.js'
import { add, allAspects, draft, ENTITY, idsOf, update } from '../src/support/aspects.js'
import { keysOf } from '../src/support/blobs.js'
import { expectBytes, someBytes } from '../src/support/bytes.js'
import { expectError } from '../src/support/expect-error.js'
import { transfer } from '../src/support/transfer.js'
import { mapBlobs } from './map-blobs.js'

/** More calls than any of these operations makes. */
const ENOUGH = 80

/** Runs it in a place prepared anew for each number of calls that the process lives to make; looks at what is left. */
async function atEveryCall<S>(
  prepare: (backend: Backend) => Promise<S>,
  run: (backend: Backend, state: S) => Promise<unknown>,
  look: (backend: Backend, state: S, done: boolean) => Promise<void>,
): Promise<void> {
  for (let calls = 0; calls < ENOUGH; calls++) {
    const store = mapBlobs()
    const state = await prepare(blobBackend(store))
    const { blobs, wasCut } = interruptedBlobs(store, calls)
    const backend = blobBackend(blobs)
    const done = await run(backend, state).then(
      () => true,
      () => false,
    )
    // calls after the answer count, too
    await backend.close?.()
    await look(blobBackend(store), state, done)
    if (!wasCut()) return
  }
  throw new Error(`it made ${ENOUGH} calls and was not done`)
}

describe('a process that is killed at any call', () => {
  it('has updated, or not: one record is current, the old or the new one', async () => {
    await atEveryCall(
      async (backend) => [
        await update(backend, { n: 1 }),
        await add(backend, { n: 2 }),
        await add(backend, { n: 3 }),
      ],
      (backend) => update(backend, { n: 4 }),
      async (backend, before, done) => {
        const now = await allAspects(backend, { entity: ENTITY })
        const numbers = now.map((r) => r.content?.['n']).sort()
        if (done || numbers.includes(4)) expect(numbers).toEqual([4])
        else expect(new Set(idsOf(now))).toEqual(new Set(idsOf(before)))
        await update(backend, { n: 5 })
        expect(await allAspects(backend, { entity: ENTITY })).toMatchObject([{ content: { n: 5 } }])
      },
    )
  })

  it('has added, or not', async () => {
    await atEveryCall(
      async () => {},
      (backend) => add(backend, { n: 1 }),
      async (backend, _, done) => {
        const now = await allAspects(backend)
        expect(now.length).toBeLessThan(2)
        if (done) expect(now).toHaveLength(1)
        for (const { id } of now) expect((await backend.aspects.get(id, {})).content?.['n']).toBe(1)
      },
    )
  })

  it('has retracted, or not', async () => {
    await atEveryCall(
      (backend) => update(backend, { n: 1 }),
      (backend, { id }) => backend.aspects.retract(id, {}),
      async (backend, { id }, done) => {
        const open = (await backend.aspects.get(id, {})).validTo === undefined
        if (done) expect(open).toBe(false)
        expect(idsOf(await allAspects(backend, { entity: ENTITY }))).toEqual(open ? [id] : [])
        expect(idsOf(await allAspects(backend))).toEqual(open ? [id] : [])
      },
    )
  })

  it('has uploaded, or not: what is visible is whole', async () => {
    const bytes = someBytes(100_000)
    await atEveryCall(
      async () => {},
      (backend) => upload(backend, bytes, { name: 'x', collection: 'urn:example:collection:1', retries: 0 }),
      async (backend, _, done) => {
        const visible = await allArtifacts(backend)
        expect(visible.length).toBeLessThan(2)
        if (done) expect(visible).toHaveLength(1)
        for (const { id } of visible) expectBytes(await download(backend, id), bytes)
      },
    )
  })
})

describe('an abort at any call: done as if there had been none, or nothing done', () => {
  const bytes = someBytes(100_000)
  const collection = 'urn:example:collection:1'
  it.each<[string, (backend: Backend, known: Urn, o: OpOptions) => Promise<unknown>]>([
    ['upload', (backend, _, o) => upload(backend, bytes, { ...o, collection })],
    ['update', ({ aspects }, _, o) => aspects.assert(draft({ n: 'new' }), 'replace', o)],
    ['add', ({ aspects }, _, o) => aspects.assert(draft({ n: 'new' }), 'add', o)],
    ['retract', ({ aspects }, known, o) => aspects.retract(known, o)],
  ])('%s', async (_, run) => {
    for (let calls = 0; calls < ENOUGH; calls++) {
      const store = mapBlobs()
      const backend = blobBackend(store)
      const { id } = await update(backend, { n: 'known' })
      const before = [await allAspects(backend), await allArtifacts(backend)]
      const caller = new AbortController()
      const { signal } = caller
      const done = await run(blobBackend(abortingBlobs(store, calls, caller)), id, { signal }).then(
        () => true,
        (error: unknown) => {
          expect(error).toBe(signal.reason)
          return false
        },
      )
      const after = [await allAspects(backend), await allArtifacts(backend)]
      if (done) expect(after).not.toEqual(before)
      else expect(after).toEqual(before)
      if (!signal.aborted) return
    }
    throw new Error(`it made ${ENOUGH} calls and was not done`)
  })
})

it('an upload that fails when its bytes are stored already leaves no blob', async () => {
  const blobs = mapBlobs()
  const moving = { ...contentSource(someBytes(1000)), unchanged: async () => false }
  const { artifacts } = blobBackend(blobs)
  await expectError(artifacts.create(moving, { mimeType: 'text/plain' }, transfer), 'integrity')
  expect(await keysOf(blobs)).toEqual([])
})
