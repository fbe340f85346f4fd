import type { Backend, BlobStore } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { expect, it } from 'vitest'
import { randomOf, runFaults } from '../src/index.js'
import { mapBlobs } from './map-blobs.js'

/** Backends that fail at what the fault simulation looks for. */
const backends: readonly [string, RegExp, (backend: Backend) => Backend][] = [
  [
    'updates without closing',
    /current after updates/,
    ({ aspects, ...rest }) => ({
      ...rest,
      aspects: { ...aspects, assert: (draft, _, o) => aspects.assert(draft, 'add', o) },
    }),
  ],
  [
    'acknowledges retractions that it does not make',
    /retracted, and/,
    ({ aspects, ...rest }) => ({ ...rest, aspects: { ...aspects, retract: async () => {} } }),
  ],
  [
    'uploads everything twice',
    /there twice/,
    ({ artifacts, ...rest }) => ({
      ...rest,
      artifacts: {
        ...artifacts,
        async create(source, draft, o) {
          const made = await artifacts.create(source, draft, o)
          if (source.replayable) await artifacts.create(source, draft, o)
          return made
        },
      },
    }),
  ],
]

/** Blob stores that break a promise of their port, below the engine. */
const stores: readonly [string, RegExp, (blobs: BlobStore) => BlobStore][] = [
  [
    'creates over what is there',
    /is lost|current together|says something else/,
    (blobs) => ({ ...blobs, put: (key, body, o) => blobs.put(key, body, { ...o, mode: 'overwrite' }) }),
  ],
  [
    'acknowledges blobs that it does not keep',
    /is lost|can't be read/,
    (blobs) => {
      const random = randomOf(1)
      return {
        ...blobs,
        async put(key, body, o) {
          const info = await blobs.put(key, body, o)
          if (random() < 0.1) await blobs.delete(key, {})
          return info
        },
      }
    },
  ],
  [
    'keeps half of a blob',
    /is torn|can't be read/,
    (blobs) => ({
      ...blobs,
      put: (key, body, o) =>
        blobs.put(
          key,
          key.startsWith('artifacts/')
            ? { ...body, open: (part) => body.open({ ...part, end: Math.ceil((body.size ?? 0) / 2) }) }
            : body,
          o,
        ),
    }),
  ],
]

it.each(backends)('catches a backend that %s', async (_, problem, breaking) => {
  expect(await problemsOf((blobs) => breaking(blobBackend(blobs)))).toMatch(problem)
})

it('catches records that do not tell what they replace', async () => {
  const forgetful = (blobs: BlobStore): Backend => {
    const { aspects, ...rest } = blobBackend(blobs)
    const get: typeof aspects.get = async (id, o) => {
      const { replaces, ...record } = await aspects.get(id, o)
      return record
    }
    return { ...rest, aspects: { ...aspects, get } }
  }
  expect(await problemsOf(forgetful, forgetful)).toMatch(/took the place of/)
})

it.each(stores)('catches a blob store that %s', async (_, problem, breaking) => {
  expect(await problemsOf((blobs) => blobBackend(breaking(blobs)))).toMatch(problem)
})

async function problemsOf(
  at: (blobs: BlobStore) => Backend,
  healthy: (blobs: BlobStore) => Backend = (blobs) => blobBackend(blobs),
): Promise<string> {
  const { failed } = await runFaults({
    seed: 1,
    rounds: 6,
    async open() {
      const blobs = mapBlobs()
      return { faulty: at(blobs), healthy: async () => healthy(blobs) }
    },
  })
  return failed.flatMap(({ problems }) => problems).join('\n')
}
