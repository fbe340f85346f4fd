import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Ivcap } from '@ivcap/core'
import { gcsBackend } from '@ivcap/storage-gcs'
import { type Benchmark, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'
import { bucketOf, gcsOf } from '../gcs-server.js'

const WHOLE = 'vendor: upload'
const CHUNKS = 'vendor: upload in chunks'
const OURS = 'ivcap'
const STREAM = 'ivcap, a stream of unknown size in chunks of 16 KiB'
/** Same size as our requests. */
const CHUNK = 8 * MiB

const source = (place: Place) => join(place.dir, 'source.bin')

async function ours(place: Place, what: object): Promise<Sample> {
  const ivcap = new Ivcap(gcsBackend({ ...gcsOf(place), prefix: 'out' }), { stateDir: false })
  const ms = await timed(async () => {
    const artifact = await ivcap.uploadArtifact({ name: 'copy.bin', forceUpload: true, ...what })
    if (artifact.size !== place.size || artifact.sha256 === undefined)
      throw new Error('not what was asked for')
  })
  await ivcap.close()
  return { ms }
}

async function vendor(place: Place, chunkSize?: number): Promise<Sample> {
  const options = {
    destination: 'out/copy.bin',
    resumable: true,
    validation: 'crc32c',
    ...(chunkSize && { chunkSize }),
  }
  return { ms: await timed(() => bucketOf(place).upload(source(place), options)) }
}

export const gcsUpload: Benchmark = {
  title: 'Upload a file to a bucket of Google Cloud Storage; ours records its SHA-256 and a record',
  size: 64 * MiB,
  gcs: true,
  measuresMemory: [WHOLE, CHUNKS, OURS, STREAM],
  setUp: (place) => randomFile(source(place), place.size),
  clear: async (place) => {
    await bucketOf(place).deleteFiles({ prefix: 'out/' })
  },
  contenders: {
    [WHOLE]: (place) => vendor(place),
    [CHUNKS]: (place) => vendor(place, CHUNK),
    [OURS]: (place) => ours(place, { filePath: source(place) }),
    [STREAM]: (place) => {
      const content = createReadStream(source(place), { highWaterMark: 16 * 1024 })
      return ours(place, { content, contentType: 'application/octet-stream' })
    },
  },
  goals: [
    {
      what: "time of the vendor's upload in chunks",
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(CHUNKS),
    },
    {
      what: 'MiB of peak memory',
      limit: 200,
      sense: 'at most',
      value: (f) => Math.max(f.peakRssMiB(OURS), f.peakRssMiB(STREAM)),
    },
  ],
}
