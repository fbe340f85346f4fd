import type { Backend } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import { expect, it } from 'vitest'
import { describeFaults, faultyBlobs, patientBlobs, runFaults } from '../src/index.js'
import { mapBlobs } from './map-blobs.js'

describeFaults('memory', {
  rounds: 20,
  async open(seed) {
    const blobs = mapBlobs()
    const faulty = patientBlobs(faultyBlobs(blobs, { seed, rate: 0.2, inARow: 3 }))
    return { faulty: blobBackend(faulty), healthy: async () => blobBackend(blobs) }
  },
})

/** Backends that fail at what the laboratory looks for. */
const broken: readonly [string, RegExp, (backend: Backend) => Backend][] = [
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

it.each(broken)('catches a backend that %s', async (_, problem, breaking) => {
  const { failed } = await runFaults({
    seed: 1,
    rounds: 6,
    async open() {
      const healthy = blobBackend(mapBlobs())
      return { faulty: breaking(healthy), healthy: async () => healthy }
    },
  })
  expect(failed.flatMap(({ problems }) => problems).join('\n')).toMatch(problem)
})
