import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { type Backend, Ivcap } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'
import { type Benchmark, GiB, type Place, type Sample, timed } from '../benchmark.js'
import { sparseFile } from '../data.js'

const FIRST = 'ivcap: artifactForFile, the first call'
const LATER = 'ivcap: artifactForFile, later calls'
const LATER_CALLS = 20

const source = (place: Place) => join(place.dir, 'sparse.bin')

const backend = (place: Place) => blobBackend(fileBlobs({ dir: join(place.dir, 'blobs') }))

const client = (place: Place, on: Backend = backend(place)) =>
  new Ivcap(on, { stateDir: join(place.dir, 'state') })

async function recognise(ivcap: Ivcap, place: Place): Promise<void> {
  if ((await ivcap.artifactForFile(source(place))) === undefined) throw new Error('not recognised')
}

/** Measures the time and the bytes that the process reads meanwhile, from all files, not only the uploaded one. */
async function counted(work: () => Promise<unknown>): Promise<Sample> {
  const before = bytesRead()
  const ms = await timed(work)
  return { ms, counts: { 'bytes read': bytesRead() - before } }
}

/** Returns the bytes that this process has read by system calls: `rchar` of proc(5). They include the cost of this call. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1])
}

export const unchangedFile: Benchmark = {
  title: 'Recognise a file that was uploaded before',
  size: 4 * GiB,
  chart: { scale: 'log' },
  measuresMemory: [],
  setUp: async (place) => {
    await sparseFile(source(place), place.size)
    await client(place).uploadArtifact({ filePath: source(place) })
  },
  contenders: {
    'node: stat': (place) => counted(() => stat(source(place))),
    // All work of a new process: it recognises the file, then requests from the store whether the artifact still exists.
    [FIRST]: async (place) => {
      const { artifacts, ...rest } = backend(place)
      let asked = Number.NaN
      const stat: typeof artifacts.stat = (id, o) => {
        asked = performance.now()
        return artifacts.stat(id, o)
      }
      const ivcap = client(place, { ...rest, artifacts: { ...artifacts, stat } })
      const start = performance.now()
      const { ms, counts } = await counted(() => recognise(ivcap, place))
      return { ms, counts: { ...counts, 'ms to know the file': asked - start } }
    },
    [LATER]: async (place) => {
      const ivcap = client(place)
      await recognise(ivcap, place)
      const ms = await timed(async () => {
        for (let i = 0; i < LATER_CALLS; i++) await recognise(ivcap, place)
      })
      return { ms: ms / LATER_CALLS }
    },
  },
  goals: [
    {
      what: 'ms to know the file by its stat, in a new process',
      limit: 5,
      sense: 'at most',
      value: (f) => f.count(FIRST, 'ms to know the file'),
    },
    {
      what: 'ms for a later call, the store included',
      limit: 5,
      sense: 'at most',
      value: (f) => f.ms(LATER),
    },
    {
      what: 'bytes read, in all',
      limit: 64 * 1024,
      sense: 'at most',
      value: (f) => f.count(FIRST, 'bytes read'),
    },
  ],
}
