import { memoryBackend } from '@ivcap/backend-memory'
import { defineService, functionServices } from '@ivcap/services'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AspectInput, Ivcap, type Job, type UploadInput } from '../src/index.js'

const open = () => new Ivcap(memoryBackend(), { stateDir: false })
const upload = (n: number): UploadInput => ({ name: `${n}.txt`, content: `${n}` })
const aspect = (n: number): AspectInput => ({ entity: `urn:x:${n}`, content: { $schema: 'urn:x:s' } })

afterEach(() => void vi.useRealTimers())

/** Yields some, then waits for ever; `waits` resolves when it has come to that. */
function stuck<T>(make: (n: number) => T, count: number) {
  let reached = () => {}
  const waits = new Promise<void>((resolve) => {
    reached = resolve
  })
  const input = (async function* () {
    for (let n = 0; n < count; n++) yield make(n)
    reached()
    await new Promise(() => {})
  })()
  return { input, waits }
}

describe('an input that never yields again', () => {
  it.each([0, 1, 20])('uploadArtifacts hears an abort after %d items', async (count) => {
    const [caller, reason] = [new AbortController(), new Error('enough')]
    const { input, waits } = stuck(upload, count)
    const result = open().uploadArtifacts(input, { signal: caller.signal })
    await waits
    caller.abort(reason)
    await expect(result).rejects.toBe(reason)
  })

  it.each([0, 1, 20])('addAspects hears an abort and its timeout after %d items', async (count) => {
    const [caller, reason] = [new AbortController(), new Error('enough')]
    const { input, waits } = stuck(aspect, count)
    const result = open().addAspects(input, { signal: caller.signal })
    await waits
    caller.abort(reason)
    await expect(result).rejects.toBe(reason)
    const late = open().addAspects(stuck(aspect, count).input, { timeout: 50 })
    await expect(late).rejects.toMatchObject({ code: 'timeout', operation: 'addAspects' })
  })
})

it('a generator is ended when a batch ends early', async () => {
  let ended = false
  async function* input() {
    try {
      for (let n = 0; ; n++) yield n === 3 ? { entity: '', content: {} } : aspect(n)
    } finally {
      ended = true
    }
  }
  await expect(open().addAspects(input())).rejects.toMatchObject({ code: 'missing-argument' })
  expect(ended).toBe(true)
})

it('an input without an end is not collected', async () => {
  const caller = new AbortController()
  function* endless<T>(make: (n: number) => T) {
    for (let n = 0; ; n++) yield make(n)
  }
  const seen: number[] = []
  const uploads = open().uploadArtifacts(endless(upload), {
    signal: caller.signal,
    onOutcome: ({ artifact }, i) => {
      if (artifact?.name !== `${i}.txt`) throw new Error(`${i} is ${artifact?.name}`)
      if (seen.push(i) === 30) caller.abort('done')
    },
  })
  await expect(uploads).rejects.toBe('done')
  const some = await open().addAspects([aspect(0), aspect(1)], {
    onAdded: ({ entity }, i) => expect(entity).toBe(`urn:x:${i}`),
  })
  expect(some).toEqual([])
})

describe('jobs that wait for jobs', () => {
  const levels = (depth: number) => {
    const backend = memoryBackend()
    let [running, most] = [0, 0]
    const definitions = Array.from({ length: depth }, (_, level) =>
      defineService({
        name: `level ${level}`,
        timeout: 30_000,
        run: async ({ held }, { ivcap }) => {
          most = Math.max(most, ++running)
          running--
          if (level === 0) return 1
          const below = await ivcap.getServiceByName(`level ${level - 1}`)
          const pair = [0, 1].map(async () => {
            const job = await below.requestJob(
              { held: held ?? false },
              held === true ? { timeout: 20_000 } : {},
            )
            return Number((await job.wait({ pollInterval: 1 })).result)
          })
          return (await Promise.all(pair)).reduce((a, b) => a + b)
        },
      }),
    )
    const services = functionServices(backend, definitions, { concurrency: 1 })
    return { ivcap: new Ivcap({ ...backend, services }, { stateDir: false }), most: () => most }
  }

  it.each([false, true])('end at any depth, one at a time (held: %s)', { timeout: 60_000 }, async (held) => {
    const { ivcap, most } = levels(4)
    const service = await ivcap.getServiceByName('level 3')
    const jobs = await Promise.all([0, 1, 2].map(() => service.requestJob({ held })))
    const ended = await Promise.all(jobs.map((job: Job) => job.wait({ pollInterval: 1 })))
    expect(ended.map((job) => job.result)).toEqual([8, 8, 8])
    expect(most()).toBe(1)
    await ivcap.close()
  })
})

it('timers that stand still stop nothing', { timeout: 60_000 }, async () => {
  vi.useFakeTimers()
  const ivcap = open()
  const updates = await Promise.all(
    Array.from({ length: 8 }, (_, v) =>
      ivcap.updateAspect('urn:x:1', { $schema: 'urn:x:s', v }, { timeout: 50_000 }),
    ),
  )
  expect(updates).toHaveLength(8)
  expect(await ivcap.listAspects({ entity: 'urn:x:1' }).toArray()).toHaveLength(1)
  const { id } = await ivcap.uploadArtifact({ name: 'a.txt', content: 'a' })
  expect(await (await ivcap.getArtifact(id)).text()).toBe('a')
})

describe('timeouts', () => {
  it.each([1500.5, 2 ** 31, 2 ** 40, Number.MAX_VALUE, Number.POSITIVE_INFINITY])(
    '%s ms is not over at once',
    async (timeout) => {
      const ivcap = open()
      const { id } = await ivcap.uploadArtifact({ name: 'a', content: 'a', timeout })
      expect((await ivcap.getArtifact(id, { timeout })).id).toBe(id)
      expect(await ivcap.listArtifacts({ timeout }).toArray()).toHaveLength(1)
    },
  )

  it('bounds each page of an iteration, and the whole of toArray()', async () => {
    const backend = memoryBackend()
    const slow: typeof backend.aspects.list = async ({ cursor = '0' }, { signal }) => {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, 200)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(signal.reason)
        })
      })
      const next = Number(cursor) + 1
      const record = { id: `urn:ivcap:aspect:${next}`, entity: 'urn:x:1', schema: 'urn:x:s' } as const
      return { items: [record], ...(next < 6 && { cursor: String(next) }) }
    }
    const ivcap = new Ivcap({ ...backend, aspects: { ...backend.aspects, list: slow } }, { stateDir: false })
    const listing = ivcap.listAspects({ timeout: 900, limit: 6 })
    const seen: string[] = []
    for await (const { id } of listing) seen.push(id)
    expect(seen).toHaveLength(6)
    await expect(listing.toArray()).rejects.toMatchObject({ code: 'timeout', operation: 'listAspects' })
  })
})
