import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { Ivcap } from '@ivcap/core'
import { blobBackend } from '@ivcap/core/engine'
import { type Benchmark, GiB, type Place, type Sample, timed } from '../benchmark.js'
import { sparseFile } from '../data.js'

const source = (place: Place) => join(place.dir, 'sparse.bin')

const client = (place: Place) =>
  new Ivcap(blobBackend(fileBlobs({ dir: join(place.dir, 'blobs') })), { stateDir: join(place.dir, 'state') })

/** Time, and what the process read meanwhile: all of its files, not just the one in question. */
async function counted(work: () => Promise<unknown>): Promise<Sample> {
  const before = bytesRead()
  const ms = await timed(work)
  return { ms, counts: { 'bytes read': bytesRead() - before } }
}

/** Bytes that this process has read by system calls: `rchar` of proc(5). What it costs to ask is part of it. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1])
}

export const unchangedFile: Benchmark = {
  title: 'Recognise a file that was uploaded before',
  size: 4 * GiB,
  measuresMemory: [],
  setUp: async (place) => {
    await sparseFile(source(place), place.size)
    await client(place).uploadArtifact({ filePath: source(place) })
  },
  contenders: {
    'node: stat': (place) => counted(() => stat(source(place))),
    artifactForFile: async (place) => {
      const ivcap = client(place)
      return counted(async () => {
        if ((await ivcap.artifactForFile(source(place))) === undefined) throw new Error('not recognised')
      })
    },
  },
  goals: [
    { what: 'ms', limit: 5, sense: 'at most', value: (f) => f.ms('artifactForFile') },
    {
      what: 'bytes read, in all',
      limit: 64 * 1024,
      sense: 'at most',
      value: (f) => f.count('artifactForFile', 'bytes read'),
    },
  ],
}
