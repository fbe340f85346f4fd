// What is the functions' own: their definitions, their end, their turn. What all services share is in the conformance suite.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileBlobs } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import type { Backend } from '@ivcap/core/driver'
import { blobBackend } from '@ivcap/core/engine'
import type { Clock } from '@ivcap/core/internal'
import { defineService, type FunctionService, functionServices } from '@ivcap/services'
import { expect, it, vi } from 'vitest'
import { type Artifact, Ivcap, isIvcapError } from '../src/index.js'
import { tempDir } from './support/places.js'

const poll = { pollInterval: 2 }

const open = (
  services: readonly FunctionService[],
  o: Parameters<typeof functionServices>[2] = {},
  backend: Backend = memoryBackend(),
) => new Ivcap({ ...backend, services: functionServices(backend, services, o) })

/** A function that runs until it is told to go on. */
function gate() {
  let release = () => {}
  const opened = new Promise<void>((resolve) => {
    release = resolve
  })
  return { release, opened }
}

it('parameters have the types that are declared', async () => {
  const ivcap = open([
    defineService({
      name: 'typed',
      parameters: [
        { name: 'casts', type: 'artifact' },
        { name: 'depth', type: 'int', default: 10 },
        { name: 'unit', type: 'string', optional: true },
      ],
      async run({ casts, depth, unit }) {
        const artifact: Artifact = casts
        const metres: number = depth
        // @ts-expect-error it may be absent
        const always: string = unit
        return { text: await artifact.text(), metres, always: always === undefined }
      },
    }),
  ])
  const { id } = await ivcap.uploadArtifact({ content: 'a,b' })
  const job = await (await ivcap.getServiceByName('typed')).requestJob({ casts: id, unit: null })
  expect((await job.wait(poll)).result).toEqual({ text: 'a,b', metres: 10, always: true })
})

it('definitions that are none are refused', () => {
  const run = () => 0
  const parameter = (p: object) => ({ name: 'x', run, parameters: [{ name: 'a', type: 'int', ...p }] })
  const wrong: readonly (readonly [object, string])[] = [
    [{ name: ' ', run }, 'services[0].name'],
    [{ name: 'x' }, 'services[0].run'],
    [{ name: 'x', run, timeout: 0 }, 'services[0].timeout'],
    [{ name: 'x', run, id: 'x' }, 'services[0].id'],
    [parameter({ name: '$schema' }), 'services[0].parameters[0].name'],
    [parameter({ type: 'blob' }), 'services[0].parameters[0].type'],
    [parameter({ type: 'option' }), 'services[0].parameters[0].options'],
    [parameter({ default: 'ten' }), 'params.a'],
  ]
  for (const [definition, argument] of wrong) {
    // what JavaScript lets through
    const services = [definition] as FunctionService[]
    expect(() => open(services)).toThrow(expect.objectContaining({ code: 'invalid-argument', argument }))
  }
  expect(() => open([], { concurrency: 0 })).toThrow('concurrency')
})

it('a service has the same id in every process', async () => {
  const service = { name: 'échantillon', run: () => 0 }
  const ids = await Promise.all(
    [open([service]), open([{ name: 'other', run: () => 0 }, service])].map(
      async (ivcap) => (await ivcap.getServiceByName('échantillon')).id,
    ),
  )
  const id = 'urn:ivcap:service:69850fff-8f36-8280-804b-d634f363ce7e'
  expect(ids).toEqual([id, id])
})

it('so many run at once; the others wait for their turn', async () => {
  const { release, opened } = gate()
  let running = 0
  let most = 0
  const run = async () => {
    most = Math.max(most, ++running)
    await opened
    running -= 1
  }
  const ivcap = open([{ name: 'work', run }], { concurrency: 2 })
  const service = await ivcap.getServiceByName('work')
  const jobs = await Promise.all(Array.from({ length: 5 }, () => service.requestJob({})))
  expect(jobs.map(({ status }) => status).sort()).toEqual([
    ...['executing', 'executing'],
    ...['pending', 'pending', 'pending'],
  ])
  release()
  await Promise.all(jobs.map((job) => job.wait(poll)))
  expect(jobs.every(({ succeeded }) => succeeded)).toBe(true)
  expect(most).toBe(2)
})

it('close waits for jobs, and takes no more', async () => {
  const { release, opened } = gate()
  const backend = memoryBackend()
  const ivcap = open([{ name: 'work', run: () => opened.then(() => 'done') }], {}, backend)
  const service = await ivcap.getServiceByName('work')
  const job = await service.requestJob({})
  const closed = ivcap.close()
  await expect(service.requestJob({})).rejects.toMatchObject({ code: 'unavailable' })
  release()
  await closed
  expect((await job.refresh()).result).toBe('done')
})

it('close cancels what takes too long; what it still does reaches nobody', async () => {
  const { release, opened } = gate()
  const backend = memoryBackend()
  let late: Promise<unknown> | undefined
  let reason: unknown
  const ivcap = open(
    [
      defineService({
        name: 'work',
        run: (_, { signal, uploadArtifact }) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
          })
          late = opened.then(() => uploadArtifact({ content: 'too late' }))
          return late
        },
      }),
    ],
    { shutdownTimeout: 5 },
    backend,
  )
  const job = await (await ivcap.getServiceByName('work')).requestJob({})
  await vi.waitUntil(() => late !== undefined)
  await ivcap.close()
  expect(isIvcapError(reason, 'unavailable')).toBe(true)
  expect((await job.refresh()).toJSON()).toMatchObject({
    status: 'failed',
    errorMessage: expect.stringContaining('ending'),
  })
  release()
  await expect(late).rejects.toThrow('ending')
  expect(await ivcap.listArtifacts().toArray()).toEqual([])
})

it('a signal cancels all jobs, those that wait, too, and tells each why', async () => {
  const controller = new AbortController()
  const run = vi.fn<FunctionService['run']>((_, { signal }) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  const ivcap = open([{ name: 'work', run }], { concurrency: 1, signal: controller.signal })
  const service = await ivcap.getServiceByName('work')
  const jobs = [await service.requestJob({}), await service.requestJob({})]
  await vi.waitUntil(() => run.mock.calls.length === 1)
  controller.abort(new Error('the ship leaves'))
  for (const job of jobs) {
    await job.wait(poll)
    expect([job.status, job.errorMessage]).toEqual(['failed', 'the ship leaves'])
  }
  expect(run).toHaveBeenCalledTimes(1)
  await expect(service.requestJob({})).rejects.toMatchObject({ code: 'unavailable' })
  await ivcap.close()
})

it('a job that cannot say how it ended is still told of here, and elsewhere once its time is over', async () => {
  let now = Date.UTC(2026, 0, 1) * 1000
  const clock: Clock = () => ++now
  const backend = memoryBackend()
  const warn = vi.fn()
  const { assert } = backend.aspects
  let broken = false
  const aspects: Backend['aspects'] = {
    ...backend.aspects,
    assert: (...args) => (broken ? Promise.reject(new Error('the disk is full')) : assert(...args)),
  }
  const run = () => {
    broken = true
    return 'done'
  }
  const services = [{ name: 'work', run, timeout: 60_000 }]
  const here = open(services, { clock, logger: { warn } }, { ...backend, aspects })
  const job = await (await here.getServiceByName('work')).requestJob({}, { timeout: 10_000 })
  expect(job.result).toBe('done')
  expect((await job.refresh()).result).toBe('done')
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('could not be stored'))

  const elsewhere = await open(services, { clock }, backend).getService(job.service)
  expect((await elsewhere.getJob(job.id)).status).toBe('executing')
  now += 121_000_000
  expect((await elsewhere.getJob(job.id)).toJSON()).toMatchObject({
    status: 'error',
    errorMessage: expect.stringContaining('did not record its end'),
  })
})

it('a job asks for another, whose result it uses', async () => {
  const ivcap = open([
    { name: 'double', run: ({ n }) => Number(n) * 2 },
    {
      name: 'quadruple',
      async run({ n }, context) {
        const double = await context.ivcap.getServiceByName('double')
        const job = await double.requestJob({ n: Number(n) * 2 })
        return (await job.wait(poll)).result
      },
    },
  ])
  const job = await (await ivcap.getServiceByName('quadruple')).requestJob({ n: 3 })
  expect((await job.wait(poll)).result).toBe(12)
})

it('a file that was uploaded before is an artifact of its own when a job uploads it', async () => {
  const dir = await tempDir()
  const filePath = join(dir, 'shared.csv')
  await writeFile(filePath, 'a,b')
  // a place that remembers uploads by a sidecar
  const backend = blobBackend(fileBlobs({ dir: join(dir, 'blobs') }))
  const run: FunctionService['run'] = async (_, { uploadArtifact }) => (await uploadArtifact({ filePath })).id
  const ivcap = open([{ name: 'publish', run }], {}, backend)
  const first = await ivcap.uploadArtifact({ filePath })
  expect((await ivcap.uploadArtifact({ filePath })).id).toBe(first.id)
  const job = await (await ivcap.getServiceByName('publish')).requestJob({}, { timeout: 10_000 })
  const { producedBy } = await (await ivcap.getArtifact(String(job.result))).provenance()
  expect(job.result).not.toBe(first.id)
  expect(producedBy).toEqual([job.id])
})
