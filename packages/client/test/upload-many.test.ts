import { memoryBackend } from '@ivcap/backend-memory'
import { expect, it } from 'vitest'
import { Ivcap, type UploadInput } from '../src/index.js'

const file = (n: number): UploadInput => ({ name: `${n}.txt`, content: `content ${n}` })

it('uploads many, in the order of the input, so many at once as told', async () => {
  const plain = memoryBackend()
  let under = 0
  let most = 0
  const create: typeof plain.artifacts.create = async (...args) => {
    most = Math.max(most, ++under)
    const record = await plain.artifacts.create(...args)
    under--
    return record
  }
  const ivcap = new Ivcap({ ...plain, artifacts: { ...plain.artifacts, create } })
  const outcomes = await ivcap.uploadArtifacts(
    Array.from({ length: 30 }, (_, n) => file(n)),
    { concurrency: 4 },
  )
  expect(outcomes.map((o) => o.artifact?.name)).toEqual(Array.from({ length: 30 }, (_, n) => `${n}.txt`))
  expect(most).toBe(4)
})

it('one that fails takes none of the others with it', async () => {
  const ivcap = new Ivcap(memoryBackend())
  async function* inputs() {
    yield file(0)
    yield { content: new Uint8Array([1]) }
    yield { filePath: '/no/such/file' }
    yield file(3)
  }
  const outcomes = await ivcap.uploadArtifacts(inputs())
  expect(outcomes.map((o) => o.error?.code ?? 'uploaded')).toEqual([
    'uploaded',
    'missing-argument',
    'invalid-argument',
    'uploaded',
  ])
  expect(outcomes[2]?.error?.argument).toBe('filePath')
  expect(await ivcap.listArtifacts({ limit: 50 }).toArray()).toHaveLength(2)
})

it('an abort ends all, with the reason of the caller', async () => {
  const ivcap = new Ivcap(memoryBackend())
  const caller = new AbortController()
  const inputs = function* (reason: Error) {
    for (let n = 0; n < 50; n++) {
      if (n === 10) caller.abort(reason)
      yield file(n)
    }
  }
  const reason = new Error('enough')
  await expect(ivcap.uploadArtifacts(inputs(reason), { signal: caller.signal })).rejects.toBe(reason)
  expect((await ivcap.listArtifacts({ limit: 50 }).toArray()).length).toBeLessThan(20)
})

it.each([0, -1, 1.5, Number.NaN])('%s at once is none', async (concurrency) => {
  const refusal = { code: 'invalid-argument', argument: 'concurrency' }
  await expect(new Ivcap(memoryBackend()).uploadArtifacts([], { concurrency })).rejects.toMatchObject(refusal)
})
