import { randomBytes } from 'node:crypto'
import { memoryBackend } from '@ivcap/backend-memory'
import { Ivcap } from '@ivcap/core'
import { memfs } from 'memfs'
import { type Benchmark, MiB, type Sample, timed } from '../benchmark.js'
import { FILES, SMALL } from '../small-files.js'

const BARE = 'memfs, whole'
const OURS = 'ivcap, whole'
const BARE_SMALL = `memfs, ${FILES} times 64 KiB`
const OURS_SMALL = `ivcap, ${FILES} times 64 KiB`

const small = () => Array.from({ length: FILES }, () => randomBytes(SMALL))

async function bare(contents: readonly Uint8Array[]): Promise<Sample> {
  const { promises: fs } = memfs().fs
  const ms = await timed(async () => {
    for (const [i, content] of contents.entries()) {
      await fs.writeFile(`/${i}`, content)
      await fs.readFile(`/${i}`)
    }
  })
  return { ms }
}

async function ours(contents: readonly Uint8Array[]): Promise<Sample> {
  const ivcap = new Ivcap(memoryBackend())
  const ms = await timed(async () => {
    for (const content of contents) {
      const artifact = await ivcap.uploadArtifact({ content, contentType: 'application/octet-stream' })
      await artifact.bytes()
    }
  })
  return { ms }
}

/** Measures the cost of the backend for tests: a digest, a record and its index, in the same in-memory file system. */
export const inMemory: Benchmark = {
  title: 'Upload to memory and read back, digests included',
  size: 256 * MiB,
  measuresMemory: [BARE, OURS, BARE_SMALL, OURS_SMALL],
  contenders: {
    [BARE]: ({ size }) => bare([randomBytes(size)]),
    [OURS]: ({ size }) => ours([randomBytes(size)]),
    [BARE_SMALL]: () => bare(small()),
    [OURS_SMALL]: () => ours(small()),
  },
  goals: [],
}
