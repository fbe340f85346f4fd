import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { local } from '@ivcap/client'
import { type Benchmark, GiB, MiB, type Place, timed } from '../benchmark.js'
import { randomFile } from '../data.js'

const source = (place: Place) => join(place.dir, 'source.bin')
const stream = (place: Place) => createReadStream(source(place), { highWaterMark: MiB })

export const uploadStream: Benchmark = {
  title: 'Upload a stream to a local folder, with its SHA-256',
  size: GiB,
  measuresMemory: ['node: read, hash, write', 'ivcap'],
  setUp: (place) => randomFile(source(place), place.size),
  contenders: {
    'node: read, hash, write': async (place) => {
      const hash = createHash('sha256')
      const target = createWriteStream(join(place.dir, 'out', 'copy.bin'), { highWaterMark: MiB })
      const hashing = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      }
      const ms = await timed(() => pipeline(stream(place), hashing, target))
      hash.digest('hex')
      return { ms }
    },
    ivcap: async (place) => {
      const ivcap = await local({ baseDir: join(place.dir, 'out') })
      const ms = await timed(async () => {
        const content = stream(place)
        const artifact = await ivcap.uploadArtifact({
          name: 'copy.bin',
          content,
          contentType: 'application/octet-stream',
        })
        if (artifact.size !== place.size || artifact.sha256 === undefined)
          throw new Error('not what was asked for')
      })
      await ivcap.close()
      return { ms }
    },
  },
  goals: [
    {
      what: 'time of reading, hashing and writing with node',
      limit: 1.3,
      sense: 'at most',
      value: (f) => f.ms('ivcap') / f.ms('node: read, hash, write'),
    },
    { what: 'MiB of peak memory', limit: 120, sense: 'at most', value: (f) => f.peakRssMiB('ivcap') },
  ],
}
