import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { local } from '@ivcap/client'
import { type Benchmark, GiB, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'

/** Not in `out`, which is emptied before each run. */
const folder = (place: Place) => join(place.dir, 'artifacts')
const PLAIN = 'plain.bin'
const DIGEST = 'digest.bin'

async function readAll(place: Place, name: string): Promise<Sample> {
  const ivcap = await local({ baseDir: folder(place) })
  const path = join(folder(place), name)
  let bytes = 0
  const ms = await timed(async () => {
    const artifact = await ivcap.getArtifact(`urn:file://${path}`)
    if ((artifact.sha256 !== undefined) !== (name === DIGEST))
      throw new Error('not the artifact that was meant')
    for await (const chunk of artifact.asStream()) bytes += chunk.byteLength
  })
  if (bytes !== place.size) throw new Error(`read ${bytes} bytes of ${place.size}`)
  return { ms }
}

const nodeStream = (place: Place, name: string): AsyncIterable<Buffer> =>
  createReadStream(join(folder(place), name), { highWaterMark: MiB })

export const read: Benchmark = {
  title: 'Read an artifact of a local folder with asStream()',
  size: GiB,
  measuresMemory: [
    'node: createReadStream',
    'ivcap',
    'node: createReadStream, sha256',
    'ivcap, digest checked',
  ],
  setUp: async (place) => {
    const filePath = join(place.dir, 'source.bin')
    await randomFile(filePath, place.size)
    const plain = await local({ baseDir: folder(place) })
    await plain.uploadArtifact({ name: PLAIN, filePath })
    const digest = await local({ baseDir: folder(place), digest: true })
    await digest.uploadArtifact({ name: DIGEST, filePath })
  },
  contenders: {
    'node: createReadStream': async (place) => {
      let bytes = 0
      const ms = await timed(async () => {
        for await (const chunk of nodeStream(place, PLAIN)) bytes += chunk.byteLength
      })
      if (bytes !== place.size) throw new Error('short')
      return { ms }
    },
    ivcap: (place) => readAll(place, PLAIN),
    'node: createReadStream, sha256': async (place) => {
      const hash = createHash('sha256')
      return {
        ms: await timed(async () => {
          for await (const chunk of nodeStream(place, DIGEST)) hash.update(chunk)
          hash.digest('hex')
        }),
      }
    },
    'ivcap, digest checked': (place) => readAll(place, DIGEST),
  },
  goals: [
    {
      what: 'of the speed of createReadStream',
      limit: 0.8,
      sense: 'at least',
      value: (f) => f.ms('node: createReadStream') / f.ms('ivcap'),
    },
    {
      what: 'of the speed of reading and hashing with node, digest checked',
      limit: 0.8,
      sense: 'at least',
      value: (f) => f.ms('node: createReadStream, sha256') / f.ms('ivcap, digest checked'),
    },
  ],
}
