import { randomBytes } from 'node:crypto'
import { type BlobStore, contentSource } from '@ivcap/core/driver'
import { type Figures, type Goal, type Sample, timed } from './benchmark.js'

const SIZE = 64 * 1024
const AT_ONCE = 32
const PUT = 'ms to put'
const GET = 'ms to get'

/** How a contender stores and reads blobs. `get` returns the number of bytes. */
export interface Way {
  put(key: string, bytes: Uint8Array): Promise<unknown>
  get(key: string): Promise<number>
  close(): void
}

export const titleOf = (count: number, where: string) =>
  `Put ${count} blobs of 64 KiB into ${where} and get them, ${AT_ONCE} at once`

export function by(blobs: BlobStore & { close(): void }): Way {
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

export async function putAndGet(count: number, way: Way): Promise<Sample> {
  // Each run has its own folder, so that the blobs of a run do not affect the next one.
  const folder = `small/${randomBytes(8).toString('hex')}`
  const blobs = Array.from({ length: count }, (_, n) => ({ key: `${folder}/${n}`, bytes: randomBytes(SIZE) }))
  const putting = await timed(() => each(blobs, ({ key, bytes }) => way.put(key, bytes)))
  const getting = await timed(() =>
    each(blobs, async ({ key }) => {
      if ((await way.get(key)) !== SIZE) throw new Error(`${key} came otherwise than it went`)
    }),
  )
  way.close()
  return { ms: putting + getting, counts: { [PUT]: putting, [GET]: getting } }
}

/** Returns goals for our speed relative to the vendor's own client. */
export const speedGoals = (ours: string, vendor: string, limit: number): Goal[] =>
  [PUT, GET].map((name) => ({
    what: `of the speed of ${vendor}, ${name}`,
    limit,
    sense: 'at least',
    value: (f: Figures) => f.count(vendor, name) / f.count(ours, name),
  }))

async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values()
  const worker = async () => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
