import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TransferManager } from '@google-cloud/storage'
import { Ivcap } from '@ivcap/core'
import { gcsBackend } from '@ivcap/storage-gcs'
import { type Benchmark, type Figures, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'
import { bucketOf, gcsOf } from '../gcs-server.js'

const WHOLE = 'vendor: download'
const RANGES = 'vendor: TransferManager'
const OURS = 'ivcap, digest and CRC32C checked'

const target = (place: Place) => join(place.dir, 'out', 'copy.bin')
const note = (place: Place) => join(place.dir, 'artifact')
const client = (place: Place) =>
  new Ivcap(gcsBackend({ ...gcsOf(place), prefix: 'data' }), { stateDir: false })

async function vendor(place: Place, get: (key: string) => Promise<unknown>): Promise<Sample> {
  const key = `data/artifacts/${(await readFile(note(place), 'utf8')).split(':').at(-1)}`
  const ms = await timed(() => get(key))
  return expectWhole(place, ms)
}

async function expectWhole(place: Place, ms: number): Promise<Sample> {
  const { size } = await stat(target(place))
  if (size !== place.size) throw new Error(`${size} bytes came of ${place.size}`)
  return { ms }
}

/** Returns the vendor's best time on this machine. */
const best = (f: Figures) => Math.min(f.ms(WHOLE), f.ms(RANGES))

export const gcsDownload: Benchmark = {
  title: 'Download an artifact of a bucket of Google Cloud Storage to a file',
  size: 256 * MiB,
  gcs: true,
  measuresMemory: [WHOLE, RANGES, OURS],
  setUp: async (place) => {
    const filePath = join(place.dir, 'source.bin')
    await randomFile(filePath, place.size)
    const ivcap = client(place)
    const { id } = await ivcap.uploadArtifact({ filePath, forceUpload: true, chunkSize: 64 * MiB })
    await writeFile(note(place), id)
    await ivcap.close()
  },
  contenders: {
    [WHOLE]: (place) =>
      vendor(place, (key) =>
        bucketOf(place)
          .file(key)
          .download({ destination: target(place), validation: 'crc32c' }),
      ),
    [RANGES]: (place) =>
      vendor(place, (key) =>
        new TransferManager(bucketOf(place)).downloadFileInChunks(key, {
          destination: target(place),
          chunkSizeBytes: 8 * MiB,
          validation: 'crc32c',
        }),
      ),
    [OURS]: async (place) => {
      const id = await readFile(note(place), 'utf8')
      const ivcap = client(place)
      const ms = await timed(async () => {
        const artifact = await ivcap.getArtifact(id)
        if (artifact.sha256 === undefined) throw new Error('not the artifact that was meant')
        await artifact.asLocalFile(target(place))
      })
      await ivcap.close()
      return expectWhole(place, ms)
    },
  },
  goals: [
    {
      what: "time of the best of the vendor's ways",
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(OURS) / best(f),
    },
    { what: 'MiB of peak memory', limit: 200, sense: 'at most', value: (f) => f.peakRssMiB(OURS) },
  ],
}
