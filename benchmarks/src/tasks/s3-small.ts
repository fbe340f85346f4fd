import { randomBytes } from 'node:crypto'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { Ivcap } from '@ivcap/core'
import { s3Backend } from '@ivcap/storage-s3'
import { type Benchmark, type Place, type Sample, timed } from '../benchmark.js'
import { OPENDAL, opendal } from '../s3-peers.js'
import { clientOf, s3Of } from '../s3-server.js'

const FILES = 200
const SIZE = 64 * 1024
const AT_ONCE = 8
/** The bytes, the record, and two entries of the index. */
const REQUESTS = 4

const BARE = `SDK: PutObject, ${REQUESTS} for each`
const BARE_AT_ONCE = `SDK: the same, ${AT_ONCE} at once`
const OURS = 'ivcap'
const OURS_AT_ONCE = `ivcap, ${AT_ONCE} at once`

const contents = () => Array.from({ length: FILES }, () => randomBytes(SIZE))
/** Of its own for each run: what a run leaves is not in the next one's way. */
const fresh = () => `small/${randomBytes(8).toString('hex')}`

async function ours(place: Place, concurrency: number): Promise<Sample> {
  const ivcap = new Ivcap(s3Backend({ ...s3Of(place), prefix: fresh() }), { stateDir: false })
  const uploads = contents().map((content) => ({ content, contentType: 'application/octet-stream' }))
  const ms = await timed(async () => {
    const outcomes = await ivcap.uploadArtifacts(uploads, { concurrency })
    for (const { error } of outcomes) if (error !== undefined) throw error
  })
  await ivcap.close()
  return { ms }
}

/** As many bytes in as many requests, and nothing else. */
async function bare(place: Place, concurrency: number): Promise<Sample> {
  const client = clientOf(place)
  const prefix = fresh()
  const record = randomBytes(500)
  const waiting = contents()
  const put = (Key: string, Body: Uint8Array) =>
    client.send(new PutObjectCommand({ Bucket: s3Of(place).bucket, Key, Body }))
  const worker = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      const n = waiting.length
      await put(`${prefix}/${n}`, body)
      await Promise.all([
        put(`${prefix}/${n}-a`, new Uint8Array()),
        put(`${prefix}/${n}-b`, new Uint8Array()),
      ])
      await put(`${prefix}/${n}-r`, record)
    }
  }
  const ms = await timed(() => Promise.all(Array.from({ length: concurrency }, worker)))
  client.destroy()
  return { ms }
}

export const s3Small: Benchmark = {
  title: `Upload ${FILES} times 64 KiB to a bucket`,
  s3: true,
  measuresMemory: [OURS, OURS_AT_ONCE],
  contenders: {
    [BARE]: (place) => bare(place, 1),
    [OPENDAL]: async (place) => {
      const [operator, prefix, bodies] = [opendal(place), fresh(), contents()]
      const all = async () => {
        for (const [n, body] of bodies.entries()) await operator.write(`${prefix}/${n}`, body)
      }
      return { ms: await timed(all) }
    },
    [OURS]: (place) => ours(place, 1),
    [BARE_AT_ONCE]: (place) => bare(place, AT_ONCE),
    [OURS_AT_ONCE]: (place) => ours(place, AT_ONCE),
  },
  goals: [
    {
      what: 'time of the SDK with the same requests, one after the other',
      limit: 1.15,
      sense: 'at most',
      value: (f) => f.ms(OURS) / f.ms(BARE),
    },
    {
      what: `time of the SDK with the same requests, ${AT_ONCE} at once`,
      limit: 1.15,
      sense: 'at most',
      value: (f) => f.ms(OURS_AT_ONCE) / f.ms(BARE_AT_ONCE),
    },
  ],
}
