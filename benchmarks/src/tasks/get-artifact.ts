import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'
import { type Benchmark, type Sample, timed } from '../benchmark.js'

const CALLS = 10_000
const WARM_UP = 1_000

async function rate(call: () => Promise<unknown>): Promise<Sample> {
  for (let i = 0; i < WARM_UP; i++) await call()
  const ms = await timed(async () => {
    for (let i = 0; i < CALLS; i++) await call()
  })
  return { ms, counts: { 'calls a second': (CALLS / ms) * 1000 } }
}

export const getArtifact: Benchmark = {
  title: `Look up an artifact in memory, ${CALLS.toLocaleString('en')} times one after the other`,
  measuresMemory: [],
  contenders: {
    'the backend alone': async () => {
      const backend = memoryBackend()
      const { id } = await new Ivcap(backend).uploadArtifact({ name: 'a.txt', content: 'a' })
      return rate(() => backend.artifacts.stat(id, {}))
    },
    getArtifact: async () => {
      const ivcap = new Ivcap(memoryBackend())
      const { id } = await ivcap.uploadArtifact({ name: 'a.txt', content: 'a' })
      return rate(() => ivcap.getArtifact(id))
    },
  },
  goals: [
    {
      what: 'calls a second',
      limit: 5000,
      sense: 'at least',
      value: (f) => f.count('getArtifact', 'calls a second'),
    },
  ],
}
