import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { Ivcap } from '@ivcap/core'
import { artifactUrn } from '@ivcap/core/driver'
import { artifactAspect, fileSource } from '@ivcap/core/internal'
import { s3Backend, s3Blobs } from '@ivcap/storage-s3'
import { type Benchmark, type Figures, GiB, MiB, type Place, type Sample, timed } from '../benchmark.js'
import { randomFile } from '../data.js'
import { CLI, cliCopy, hasCli, OPENDAL, opendalDownload } from '../s3-peers.js'
import { clientOf, s3Of } from '../s3-server.js'

const WHOLE = 'SDK: GetObject to a file'
const RANGES = 'SDK: 8 ranges at once'
const OURS = 'ivcap'
const CHECKED = 'ivcap, digest checked'
const AT_ONCE = 8
const RANGE = 8 * MiB

const target = (place: Place) => join(place.dir, 'out', 'copy.bin')
/** The file with the ids of two artifacts: one with a digest and one without. */
const note = (place: Place) => join(place.dir, 'artifacts')
const idsOf = async (place: Place) => (await readFile(note(place), 'utf8')).split(' ')
const keyOf = async (place: Place) => `data/artifacts/${(await idsOf(place))[0]?.split(':').at(-1)}`
const placeOf = (place: Place) => ({ ...s3Of(place), prefix: 'data' })

async function setUp(place: Place): Promise<void> {
  const path = join(place.dir, 'source.bin')
  await randomFile(path, place.size)
  const backend = s3Backend(placeOf(place))
  const digested = await new Ivcap(backend, { stateDir: false }).uploadArtifact({
    filePath: path,
    forceUpload: true,
  })
  // As other clients store artifacts: the bytes, and a record without a digest.
  const uuid = randomUUID()
  const id = artifactUrn(uuid)
  const blobs = s3Blobs(placeOf(place))
  const how = { mode: 'create', retries: 0, retryDelay: 0 } as const
  await blobs.put(`artifacts/${uuid}`, await fileSource(path, 'filePath'), how)
  const record = { id, status: 'ready', size: place.size, mimeType: 'application/octet-stream' } as const
  await backend.aspects.assert(artifactAspect(record), 'add', {})
  await writeFile(note(place), `${digested.id} ${id}`)
  blobs.close()
  await backend.close()
}

async function ours(place: Place, which: 0 | 1): Promise<Sample> {
  const id = (await idsOf(place))[which] ?? ''
  const ivcap = new Ivcap(s3Backend(placeOf(place)), { stateDir: false })
  const ms = await timed(async () => {
    const artifact = await ivcap.getArtifact(id)
    if ((artifact.sha256 !== undefined) !== (which === 0)) throw new Error('not the artifact that was meant')
    await artifact.asLocalFile(target(place))
  })
  await ivcap.close()
  return expectWhole(place, ms)
}

async function vendor(
  place: Place,
  get: (client: S3Client, request: { Bucket: string; Key: string }) => Promise<void>,
) {
  const client = clientOf(place)
  const request = { Bucket: s3Of(place).bucket, Key: await keyOf(place) }
  const ms = await timed(() => get(client, request))
  client.destroy()
  return expectWhole(place, ms)
}

async function expectWhole(place: Place, ms: number): Promise<Sample> {
  const { size } = await stat(target(place))
  if (size !== place.size) throw new Error(`${size} bytes came of ${place.size}`)
  return { ms }
}

/** Returns the vendor's best time on this machine. */
const best = (f: Figures) => Math.min(f.ms(WHOLE), f.ms(RANGES))

export const s3Download: Benchmark = {
  title: 'Download an artifact of a bucket to a file',
  size: GiB,
  s3: true,
  measuresMemory: [WHOLE, RANGES, OPENDAL, OURS, CHECKED],
  ...(!hasCli && { skipped: { [CLI]: 'it is not installed' } }),
  setUp,
  contenders: {
    [WHOLE]: (place) =>
      vendor(place, async (client, request) => {
        const { Body } = await client.send(new GetObjectCommand(request))
        if (!(Body instanceof Readable)) throw new Error('no stream came')
        await pipeline(Body, createWriteStream(target(place)))
      }),
    [RANGES]: (place) =>
      vendor(place, async (client, request) => {
        const file = await open(target(place), 'w')
        let next = 0
        const worker = async () => {
          for (let at = next; at < place.size; at = next) {
            next += RANGE
            const Range = `bytes=${at}-${Math.min(at + RANGE, place.size) - 1}`
            const { Body } = await client.send(new GetObjectCommand({ ...request, Range }))
            await file.write((await Body?.transformToByteArray()) ?? new Uint8Array(), 0, undefined, at)
          }
        }
        await Promise.all(Array.from({ length: AT_ONCE }, worker))
        await file.close()
      }),
    [OPENDAL]: async (place) => {
      const key = await keyOf(place)
      return expectWhole(place, await timed(() => opendalDownload(place, key, target(place))))
    },
    ...(hasCli && {
      [CLI]: async (place: Place) => {
        const from = `s3://${s3Of(place).bucket}/${await keyOf(place)}`
        return expectWhole(place, await timed(async () => cliCopy(place, from, target(place))))
      },
    }),
    [OURS]: (place) => ours(place, 1),
    [CHECKED]: (place) => ours(place, 0),
  },
  goals: [
    {
      what: "time of the best of the SDK's ways",
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(OURS) / best(f),
    },
    {
      what: "time of the best of the SDK's ways, which check nothing, with the digest checked",
      limit: 1,
      sense: 'at most',
      value: (f) => f.ms(CHECKED) / best(f),
    },
    {
      what: 'time of OpenDAL',
      limit: 1.25,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(OPENDAL),
    },
    {
      what: 'MiB of peak memory',
      limit: 200,
      sense: 'at most',
      value: (f) => Math.max(f.peakRssMiB(OURS), f.peakRssMiB(CHECKED)),
    },
  ],
}
