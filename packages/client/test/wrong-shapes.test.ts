import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { localBackend } from '@ivcap/backend-local'
import { memoryBackend } from '@ivcap/backend-memory'
import { platformBackend } from '@ivcap/backend-platform'
import { defineService, functionServices } from '@ivcap/services'
import { gcsBackend } from '@ivcap/storage-gcs'
import { s3Backend } from '@ivcap/storage-s3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connect, Ivcap, isIvcapError, local } from '../src/index.js'
import { tempDir } from './support/places.js'

const url = 'https://api.example.com'
/** Calls with what TypeScript would not let through. */
const loose = <R>(f: (...args: never[]) => R, ...args: unknown[]): R => Reflect.apply(f, undefined, args)

beforeEach(() => {
  for (const name of ['IVCAP_BASE_URL', 'IVCAP_URL', 'IVCAP_JWT', 'IVCAP_LOCAL_DIR'])
    vi.stubEnv(name, undefined)
})
afterEach(() => void vi.unstubAllEnvs())

describe('connect', () => {
  it('takes a URL object, and a baseDir', async () => {
    const dir = await tempDir()
    expect((await connect({ url: new URL(url), token: 'x' })).url).toBe(url)
    expect((await connect(new URL('http://127.0.0.1:8088'))).url).toBe('http://127.0.0.1:8088')
    expect((await connect({ baseDir: dir })).url).toBe(`file://${dir}`)
    expect((await local(dir)).url).toBe(`file://${dir}`)
    expect((await local(new URL(`file://${dir}/a%20b`))).url).toBe(`file://${dir}/a b`)
  })

  it.each([
    ['localhost:8088', 'http://localhost:8088'],
    ['127.0.0.1:8088/x', 'http://127.0.0.1:8088/x'],
    ['api.example.com', 'https://api.example.com'],
    ['//api.example.com/x', 'https://api.example.com/x'],
    ['./data', 'baseDir'],
    ['/data', 'baseDir'],
    ['C:\\data', 'baseDir'],
    [' https://api.example.com', 'blanks'],
    ['"https://api.example.com"', 'quotes'],
    ['file:///data/run#1', '%23'],
    ['file:///data/run?1', '%3F'],
    ['file:///data/100%', '%25'],
    ['file:///data/%zz', '%25'],
    ['file:///data/%ff', '%25'],
    ['file:///data/a%2fb', 'slash'],
    ['file://host/share', 'file:///abs/dir'],
    ['https://api.example.com?x=1', 'query'],
    ['memory:x', 'memory:'],
    ['s3://', 'bucket'],
    ['', 'empty'],
  ])('refuses the url %j and says what is right', async (wrong, hint) => {
    for (const token of [undefined, 'x']) {
      await expect(connect({ url: wrong, token })).rejects.toMatchObject({
        code: 'invalid-argument',
        argument: 'url',
        message: expect.stringContaining(hint),
      })
    }
  })

  it.each([
    'ftp://canary:canary@host',
    'canary:canary@host',
    's3://canary:canary@bucket',
    `https://u:canary@host`,
  ])('does not repeat the password of %s', async (wrong) => {
    const error = await connect({ url: wrong, token: 'x' }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'invalid-argument', argument: 'url' })
    expect(String(error)).not.toContain('canary')
  })

  it('needs a token only for a deployment on another machine', async () => {
    for (const open of ['http://localhost:1', 'http://[::1]:1', 'http://127.0.0.2', 'http://a.localhost'])
      expect((await connect(open)).url).toBe(open)
    for (const other of [url, 'http://localhost.example.com', 'http://128.0.0.1'])
      await expect(connect(other)).rejects.toMatchObject({ argument: 'token' })
  })

  it.each([
    ['Bearer canary', /Bearer/],
    ['canary canary', /blank/],
    ['canary\ncanary', /line break/],
    ['"canary"', /quotes/],
    ['cánary', /header/],
    ['', /empty/],
  ])('says what is wrong with the token %j, and does not repeat it', async (token, why) => {
    const error = await connect({ url, token }).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'invalid-argument',
      argument: 'token',
      message: expect.stringMatching(why),
    })
    expect(String(error)).not.toMatch(/c.nary/)
  })
})

describe('an option that is not known', () => {
  const ivcap = new Ivcap(memoryBackend(), { stateDir: false })
  const services = functionServices(memoryBackend(), [])
  const calls: [string, string, () => unknown][] = [
    ['urll', 'url', () => loose(connect, { urll: url })],
    ['base_dir', 'baseDir', () => loose(local, { base_dir: 'x' })],
    ['file_path', 'filePath', () => loose(ivcap.uploadArtifact.bind(ivcap), { file_path: 'x' })],
    [
      'contenttype',
      'contentType',
      () => loose(ivcap.uploadArtifact.bind(ivcap), { content: 'x', contenttype: 'a/b' }),
    ],
    ['order_by', 'orderBy', () => loose(ivcap.listArtifacts.bind(ivcap), { order_by: 'name' })],
    ['content-path', 'contentPath', () => loose(ivcap.listAspects.bind(ivcap), { 'content-path': '$' })],
    ['Limit', 'limit', () => loose(ivcap.listCollections.bind(ivcap), { Limit: 1 })],
    ['timeot', 'timeout', () => loose(ivcap.getArtifact.bind(ivcap), 'x', { timeot: 1 })],
    ['concurency', 'concurrency', () => loose(ivcap.addAspects.bind(ivcap), [], { concurency: 1 })],
    ['concurency', 'concurrency', () => loose(functionServices, memoryBackend(), [], { concurency: 1 })],
    ['timeOut', 'timeout', () => new Ivcap(memoryBackend(), JSON.parse('{"timeOut":1}'))],
    ['basedir', 'baseDir', () => loose(localBackend, { basedir: 'x' })],
    ['Clock', 'clock', () => loose(memoryBackend, { Clock: Date.now })],
    ['connect_timeout', 'connectTimeout', () => loose(platformBackend, { url, connect_timeout: 1 })],
    ['bucket_', 'bucket', () => loose(s3Backend, { bucket_: 'x' })],
    ['part_size', 'partSize', () => loose(gcsBackend, { bucket: 'abc', part_size: 1 })],
    ['params', 'parameters', () => loose(defineService, { name: 'x', run: () => 1, params: [] })],
  ]
  it.each(calls)('%s: did you mean %s?', async (name, meant, call) => {
    const outcome = await (async () => call())().catch((e: unknown) => e)
    expect(outcome).toMatchObject({
      code: 'invalid-argument',
      argument: name,
      message: expect.stringContaining(`did you mean \`${meant}\`?`),
    })
    await services.close?.()
  })
})

it('a signal, a listener or a logger of another type is refused by its name', async () => {
  const ivcap = new Ivcap(memoryBackend(), { stateDir: false })
  for (const signal of [new AbortController(), 'x', null, {}])
    await expect(loose(ivcap.getArtifact.bind(ivcap), 'x', { signal })).rejects.toMatchObject({
      argument: 'signal',
    })
  await expect(
    loose(ivcap.uploadArtifact.bind(ivcap), { content: 'x', onProgress: true }),
  ).rejects.toMatchObject({ argument: 'onProgress' })
  for (const option of ['logger', 'onEvent', 'stateDir', 'timeout'])
    expect(() => new Ivcap(memoryBackend(), JSON.parse(`{"${option}":{"warn":1}}`))).toThrow(
      expect.objectContaining({ code: 'invalid-argument', argument: option }),
    )
})

it.each([undefined, null, {}, 5, 'memory:', Promise.resolve(memoryBackend()), new Ivcap(memoryBackend())])(
  'new Ivcap(%s) is refused',
  (backend) => {
    expect(() => Reflect.construct(Ivcap, [backend])).toThrow(
      expect.objectContaining({ code: 'invalid-argument', argument: 'backend' }),
    )
  },
)

it('a handle is taken where an id is', async () => {
  const ivcap = new Ivcap(memoryBackend(), { stateDir: false })
  const collection = await ivcap.createCollection({ name: 'Reef 7' })
  const artifact = await ivcap.uploadArtifact({ name: 'a.txt', content: 'a', collection })
  expect((await ivcap.getArtifact(artifact)).id).toBe(artifact.id)
  const aspect = await ivcap.addAspect(artifact, { $schema: 'urn:x:s' })
  expect((await ivcap.getAspect(aspect)).entity).toBe(artifact.id)
  expect(await ivcap.listAspects({ entity: artifact, schema: 'urn:x:s' }).toArray()).toHaveLength(1)
  expect(await ivcap.addToCollection(collection, artifact)).toBeUndefined()
  expect(await ivcap.removeFromCollection(collection, artifact)).toBe(true)
})

it('a Date of another realm is a time', async () => {
  const ivcap = new Ivcap(memoryBackend(), { stateDir: false })
  await ivcap.addAspect('urn:x:1', { $schema: 'urn:x:s' })
  expect(await ivcap.listAspects({ atTime: runInNewContext('new Date(1e12)') }).toArray()).toEqual([])
})

// whatever is given, the error is one of ours
it('anything at all, anywhere, is taken or refused with an IvcapError', { timeout: 120_000 }, async () => {
  const ivcap = new Ivcap(memoryBackend(), { stateDir: false })
  const artifact = await ivcap.uploadArtifact({ name: 'a.txt', content: 'a' })
  const services = functionServices(memoryBackend(), [{ name: 'x', run: () => 1 }])
  const withJobs = new Ivcap({ ...memoryBackend(), services }, { stateDir: false })
  const service = await withJobs.getServiceByName('x')
  const nowhere = join(await tempDir(), 'never', 'made')
  vi.stubEnv('IVCAP_LOCAL_DIR', nowhere)
  const calls: ((a: unknown, b: unknown) => unknown)[] = [
    (a) => loose(connect, a),
    (a) => loose(local, a),
    (a, b) => Reflect.construct(Ivcap, [a, b]),
    (_, b) => Reflect.construct(Ivcap, [memoryBackend(), b]),
    (a) => loose(localBackend, a),
    (a) => loose(memoryBackend, a),
    (a) => loose(platformBackend, a),
    (a) => loose(s3Backend, a),
    (a) => loose(gcsBackend, a),
    (a) => loose(defineService, a),
    (a, b) => loose(functionServices, memoryBackend(), a, b),
    (a) => loose(ivcap.uploadArtifact.bind(ivcap), a),
    (a, b) => loose(ivcap.uploadArtifacts.bind(ivcap), a, b),
    (a, b) => loose(ivcap.getArtifact.bind(ivcap), a, b),
    (a) => loose(ivcap.listArtifacts.bind(ivcap), a),
    (a, b) => loose(ivcap.artifactForFile.bind(ivcap), a, b),
    (a, b) => loose(ivcap.addAspect.bind(ivcap), 'urn:x:1', a, b),
    (a, b) => loose(ivcap.updateAspect.bind(ivcap), a, b),
    (a, b) => loose(ivcap.addAspects.bind(ivcap), a, b),
    (a, b) => loose(ivcap.getAspect.bind(ivcap), a, b),
    (a) => loose(ivcap.listAspects.bind(ivcap), a),
    (a) => loose(ivcap.createCollection.bind(ivcap), a),
    (a, b) => loose(ivcap.getCollection.bind(ivcap), a, b),
    (a) => loose(ivcap.listCollections.bind(ivcap), a),
    (a, b) => loose(ivcap.addToCollection.bind(ivcap), a, b),
    (a, b) => loose(ivcap.removeFromCollection.bind(ivcap), a, b),
    (a, b) => loose(ivcap.retractCollection.bind(ivcap), a, b),
    (a, b) => loose(withJobs.getService.bind(withJobs), a, b),
    (a, b) => loose(withJobs.getServiceByName.bind(withJobs), a, b),
    (a, b) => loose(service.requestJob.bind(service), a, b),
    (a, b) => loose(ivcap.lineage.bind(ivcap), a, b),
    (a, b) => loose(ivcap.search.bind(ivcap), a, b),
    (a) => loose(artifact.metadata.bind(artifact), a),
    (a, b) => loose(artifact.addMetadata.bind(artifact), a, b),
    (a) => loose(artifact.asStream.bind(artifact), a),
    (a) => loose(artifact.bytes.bind(artifact), a),
  ]
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...calls), anything, anything, async (call, a, b) => {
      const error = await (async () => void (await call(a, b)))().then(
        () => undefined,
        (e: unknown) => e,
      )
      if (error !== undefined && !isIvcapError(error)) throw error
    }),
    { numRuns: 3_000 },
  )
  await withJobs.close()
})
