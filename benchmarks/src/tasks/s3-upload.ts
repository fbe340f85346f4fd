import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Ivcap } from '@ivcap/core'
import { s3Backend } from '@ivcap/storage-s3'
import { type Benchmark, GiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'
import { CLI, cliCopy, hasCli, OPENDAL, opendalUpload } from '../s3-peers.js'
import { clientOf, s3Of } from '../s3-server.js'

const VENDOR = 'lib-storage: Upload'
const OURS = 'ivcap'
const STREAM = 'ivcap, a stream of unknown size in chunks of 16 KiB'
const CHUNK = 16 * 1024

const source = (place: Place) => join(place.dir, 'source.bin')

async function ours(place: Place, what: object): Promise<Sample> {
  const ivcap = new Ivcap(s3Backend({ ...s3Of(place), prefix: 'out' }), { stateDir: false })
  const ms = await timed(async () => {
    const artifact = await ivcap.uploadArtifact({ name: 'copy.bin', forceUpload: true, ...what })
    if (artifact.size !== place.size || artifact.sha256 === undefined)
      throw new Error('not what was asked for')
  })
  await ivcap.close()
  return { ms }
}

/** Deletes the uploads, so that the disk never holds more than those of one run. */
async function clear(place: Place): Promise<void> {
  const client = clientOf(place)
  const at = { Bucket: s3Of(place).bucket }
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ ...at, Prefix: 'out/' }))
  const Objects = Contents.map(({ Key }) => ({ Key }))
  if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ ...at, Delete: { Objects } }))
  client.destroy()
}

export const s3Upload: Benchmark = {
  title: 'Upload a file to a bucket; ours records its SHA-256 and a record',
  size: GiB,
  s3: true,
  measuresMemory: [VENDOR, OPENDAL, OURS, STREAM],
  ...(!hasCli && { skipped: { [CLI]: 'it is not installed' } }),
  setUp: (place) => randomFile(source(place), place.size),
  clear,
  contenders: {
    [VENDOR]: async (place) => {
      const client = clientOf(place)
      const ms = await timed(async () => {
        const params = {
          Bucket: s3Of(place).bucket,
          Key: 'out/copy.bin',
          Body: createReadStream(source(place)),
        }
        await new Upload({ client, params }).done()
      })
      client.destroy()
      return { ms }
    },
    [OPENDAL]: async (place) => ({
      ms: await timed(() => opendalUpload(place, source(place), 'out/copy.bin')),
    }),
    ...(hasCli && {
      [CLI]: async (place: Place) => {
        const target = `s3://${s3Of(place).bucket}/out/copy.bin`
        return { ms: await timed(async () => cliCopy(place, source(place), target)) }
      },
    }),
    [OURS]: (place) => ours(place, { filePath: source(place) }),
    [STREAM]: (place) => {
      const content = createReadStream(source(place), { highWaterMark: CHUNK })
      return ours(place, { content, contentType: 'application/octet-stream' })
    },
  },
  goals: [
    {
      what: 'time of lib-storage',
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(VENDOR),
    },
    {
      what: 'MiB of peak memory',
      limit: 200,
      sense: 'at most',
      value: (f) => Math.max(f.peakRssMiB(OURS), f.peakRssMiB(STREAM)),
    },
  ],
}
