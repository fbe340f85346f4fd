import { randomBytes } from 'node:crypto'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { contentSource } from '@ivcap/core/driver'
import { s3Blobs } from '@ivcap/storage-s3'
import { type Benchmark, type Figures, type Place, type Sample, timed } from '../benchmark.js'
import { OPENDAL, opendal } from '../s3-peers.js'
import { clientOf, s3Of } from '../s3-server.js'

const BLOBS = 500
const SIZE = 64 * 1024
const AT_ONCE = 32

const SDK = 'SDK: PutObject, GetObject'
const OURS = 'ivcap: put, get'

/** How a contender stores the bytes of a key, and how many it gets back. */
interface Way {
  put(key: string, bytes: Uint8Array): Promise<unknown>
  get(key: string): Promise<number>
  close(): void
}

function ours(place: Place): Way {
  const blobs = s3Blobs(s3Of(place))
  const how = { mode: 'create', retries: 5, retryDelay: 100 } as const
  return {
    put: (key, bytes) => blobs.put(key, contentSource(bytes), how),
    async get(key) {
      let count = 0
      for await (const { byteLength } of (await blobs.get(key, {})).body) count += byteLength
      return count
    },
    close: () => blobs.close(),
  }
}

function bare(place: Place): Way {
  const client = clientOf(place)
  const { bucket: Bucket } = s3Of(place)
  return {
    put: (Key, Body) => client.send(new PutObjectCommand({ Bucket, Key, Body })),
    async get(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
      return (await Body?.transformToByteArray())?.byteLength ?? 0
    },
    close: () => client.destroy(),
  }
}

function byOpendal(place: Place): Way {
  const operator = opendal(place)
  return {
    put: (key, bytes) => operator.write(key, Buffer.from(bytes)),
    get: async (key) => (await operator.read(key)).byteLength,
    close: () => {},
  }
}

async function run(way: Way): Promise<Sample> {
  // of its own for each run: what a run leaves is not in the next one's way
  const folder = `small/${randomBytes(8).toString('hex')}`
  const blobs = Array.from({ length: BLOBS }, (_, n) => ({ key: `${folder}/${n}`, bytes: randomBytes(SIZE) }))
  const putting = await timed(() => each(blobs, ({ key, bytes }) => way.put(key, bytes)))
  const getting = await timed(() =>
    each(blobs, async ({ key }) => {
      if ((await way.get(key)) !== SIZE) throw new Error(`${key} came otherwise than it went`)
    }),
  )
  way.close()
  return { ms: putting + getting, counts: { 'ms to put': putting, 'ms to get': getting } }
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values()
  const worker = async () => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

const speed = (name: string) => (f: Figures) => f.count(SDK, name) / f.count(OURS, name)

export const s3Small: Benchmark = {
  title: `Put ${BLOBS} blobs of 64 KiB into a bucket and get them, ${AT_ONCE} at once`,
  s3: true,
  measuresMemory: [SDK, OPENDAL, OURS],
  contenders: {
    [SDK]: (place) => run(bare(place)),
    [OPENDAL]: (place) => run(byOpendal(place)),
    [OURS]: (place) => run(ours(place)),
  },
  goals: ['ms to put', 'ms to get'].map((name) => ({
    what: `of the speed of the SDK, ${name}`,
    limit: 0.9,
    sense: 'at least',
    value: speed(name),
  })),
}
