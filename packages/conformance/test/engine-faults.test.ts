import { createHash } from 'node:crypto'
import { type Backend, isIvcapError } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { describe, expect, it } from 'vitest'
import { randomOf } from '../src/faults/random.js'
import { faultyBlobs, retryingBlobs } from '../src/index.js'
import { allArtifacts, download, upload } from '../src/support/artifacts.js'
import { allAspects, draft, SCHEMA } from '../src/support/aspects.js'
import { someBytes, streamOf } from '../src/support/bytes.js'
import { mapBlobs } from './map-blobs.js'

const ENTITIES = ['urn:example:one', 'urn:example:two']
const ADDED = 'urn:example:schema:added.1'

/** What writers were told, over a store with faults. */
class Acknowledged {
  readonly aspects = new Map<`urn:${string}`, number>()
  readonly retracted = new Set<`urn:${string}`>()
  readonly artifacts = new Map<`urn:${string}`, Uint8Array>()
  failures = 0
}

/** One writer: uploads, updates, adds and retracts, and takes down what succeeded. */
async function write(backend: Backend, seed: number, told: Acknowledged): Promise<void> {
  const random = randomOf(seed)
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]
  for (let step = 0; step < 15; step++) {
    const n = seed * 1000 + step
    const entity = pick(ENTITIES) ?? ''
    try {
      const kind = random()
      if (kind < 0.2) {
        const bytes = someBytes(Math.floor(random() * 100_000), n)
        const { id } = await upload(backend, random() < 0.5 ? bytes : streamOf(bytes))
        told.artifacts.set(id, bytes)
      } else if (kind < 0.6) {
        const { id } = await backend.aspects.assert(draft({ n }, { entity }), 'replace', {})
        told.aspects.set(id, n)
      } else if (kind < 0.8) {
        const { id } = await backend.aspects.assert(draft({ n }, { entity, schema: ADDED }), 'add', {})
        told.aspects.set(id, n)
      } else {
        const id = pick([...told.aspects.keys()])
        if (id === undefined) continue
        await backend.aspects.retract(id, {})
        told.retracted.add(id)
      }
    } catch (error) {
      if (!isIvcapError(error, 'unavailable')) throw error
      told.failures++
    }
  }
}

describe.each(Array.from({ length: 30 }, (_, i) => i + 1))('seed %i', (seed) => {
  it('keeps what it acknowledged, whole, and one record current', async () => {
    const blobs = mapBlobs()
    const faulty = faultyBlobs(blobs, { seed, rate: 0.2, inARow: 3 })
    const told = new Acknowledged()
    await Promise.all([1, 2, 3].map((w) => write(blobBackend(retryingBlobs(faulty)), seed * 10 + w, told)))
    expect(told.aspects.size + told.artifacts.size).toBeGreaterThan(10)

    const backend = blobBackend(blobs)
    for (const [id, n] of told.aspects) expect((await backend.aspects.get(id, {})).content?.['n']).toBe(n)
    for (const id of told.retracted) expect((await backend.aspects.get(id, {})).validTo).toBeDefined()
    for (const entity of ENTITIES) {
      const current = await allAspects(backend, { entity, schema: SCHEMA })
      expect(current.length).toBeLessThan(2)
      const added = await allAspects(backend, { entity, schema: ADDED })
      for (const { id } of [...current, ...added]) expect(told.retracted.has(id)).toBe(false)
    }
    const visible = await allArtifacts(backend)
    expect(visible.map((a) => a.id)).toEqual(expect.arrayContaining([...told.artifacts.keys()]))
    for (const { id, sha256 } of visible) {
      const digest = createHash('sha256')
        .update(await download(backend, id))
        .digest('hex')
      expect(digest).toBe(sha256)
    }
  })
})
