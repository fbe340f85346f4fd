import { inspect } from 'node:util'
import { S3Client } from '@aws-sdk/client-s3'
import { type Fault, faultProxy, ivcapErrorOf } from '@ivcap/conformance/fault-proxy'
import { contentSource, type IvcapError } from '@ivcap/core/driver'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type S3Options, s3Blobs } from '../src/index.js'
import { proxied, refusal } from './support/proxied.js'
import { freshPlace, s3Server } from './support/s3.js'

const server = await s3Server()
const transfer = { retries: 0, retryDelay: 1, mode: 'create' } as const
const SECRET = 'canary-secret'

afterEach(() => {
  vi.unstubAllEnvs()
})

async function errorOf(promise: Promise<unknown>): Promise<IvcapError> {
  const error = await ivcapErrorOf(promise)
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(SECRET)
  return error
}

/** What all calls fail with alike. */
async function errorsOf(o: S3Options): Promise<readonly IvcapError[]> {
  const blobs = s3Blobs(o)
  const errors = await Promise.all([
    errorOf(blobs.list({ prefix: '', limit: 1 }, {})),
    errorOf(blobs.get('key', {})),
    errorOf(blobs.put('key', contentSource('x'), transfer)),
    errorOf(blobs.head('key', {})),
  ])
  blobs.close()
  return errors
}

describe.runIf(server)('errors say what to check', () => {
  if (server === undefined) return
  const place = freshPlace(server)
  const { accessKeyId } = server.credentials

  it('no such bucket', async () => {
    for (const error of await errorsOf({ ...place, bucket: 'no-such-bucket' })) {
      expect(error).toMatchObject({ code: 'invalid-argument', argument: 'bucket' })
      expect(error.message).toContain('s3://no-such-bucket/')
      expect(error.message).toContain(place.endpoint)
    }
  })

  // known failure: token-told
  it.each([
    ['a wrong secret', { accessKeyId, secretAccessKey: SECRET }],
    ['an unknown key', { accessKeyId: 'nobody', secretAccessKey: SECRET }],
  ])('%s', async (_, credentials) => {
    const [list, get, put, head] = await errorsOf({ ...place, credentials })
    for (const error of [list, get, put]) {
      expect(error?.code).toBe('unauthenticated')
      expect(error?.message).toContain('check the access key')
    }
    // the answer to HEAD has no body that tells more
    expect(head).toMatchObject({ code: 'permission-denied', status: 403 })
  })

  // Ceph has one region, takes any name for it, and looks at no session token: AWS's answers, as its documentation has them
  it.each<[string, Fault, Partial<IvcapError>, string]>([
    [
      'a bucket in another region',
      refusal(301, 'PermanentRedirect'),
      { code: 'invalid-argument', argument: 'region' },
      'check region and endpoint',
    ],
    [
      'a signature for another region',
      refusal(400, 'AuthorizationHeaderMalformed'),
      { code: 'invalid-argument', argument: 'region' },
      'check region and endpoint',
    ],
    ['a wrong session token', refusal(400, 'InvalidToken'), { code: 'unauthenticated' }, 'session token'],
  ])('%s', async (_, fault, expected, words) => {
    const proxy = await faultProxy(server.endpoint, () => fault)
    const credentials = { ...server.credentials, sessionToken: SECRET }
    const [list, get, put] = await errorsOf({ ...place, credentials, endpoint: proxy.url })
    for (const error of [list, get, put]) {
      expect(error).toMatchObject({ ...expected, retryable: false })
      expect(error?.message).toContain(words)
    }
    expect(proxy.seen[0]?.headers['x-amz-security-token']).toBe(SECRET)
  })

  it('no credentials', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('none'), { name: 'CredentialsProviderError' })
    }
    for (const error of await errorsOf({ ...place, credentials })) {
      expect(error).toMatchObject({ code: 'unauthenticated', retryable: false })
      expect(error.message).toContain('AWS_ACCESS_KEY_ID')
    }
  })

  // known failure: foreign-redirect
  it.each([302, 307])('nothing is sent to where a %d leads', async (status) => {
    const elsewhere = await faultProxy(server.endpoint)
    const headers = { location: `${elsewhere.url}/elsewhere` }
    const { blobs } = await proxied(server, () => ({ kind: 'status', status, headers }))
    await errorOf(blobs.put('key', contentSource('x'), transfer))
    await errorOf(blobs.put('key', contentSource(new Uint8Array(6 << 20)), transfer))
    await errorOf(blobs.get('key', {}))
    await errorOf(blobs.list({ prefix: '', limit: 1 }, {}))
    expect(elsewhere.seen).toEqual([])
  })

  it('a refused connection, and no such host', async () => {
    const [refused] = await errorsOf({ ...place, endpoint: 'http://127.0.0.1:9' })
    expect(refused).toMatchObject({ code: 'unavailable', retryable: true })
    expect(refused?.message).toContain('connection refused')
    const [unknown] = await errorsOf({ ...place, endpoint: 'http://no-such-host.invalid' })
    expect(unknown).toMatchObject({ code: 'unavailable', retryable: false })
    expect(unknown?.message).toContain('check endpoint')
  })

  it('a clock that is wrong is put right by the answer', async () => {
    const client = new S3Client({
      ...place,
      forcePathStyle: true,
      maxAttempts: 1,
      systemClockOffset: 3_600_000,
    })
    const skewed = s3Blobs({ ...place, client })
    const error = await errorOf(skewed.put('key', contentSource('x'), transfer))
    expect(error).toMatchObject({ code: 'unauthenticated' })
    expect(error.message).toContain('clock')
    await skewed.put('key', contentSource('x'), transfer)
    client.destroy()
  })

  it('a blob that changed between two ranges of it', async () => {
    const blobs = s3Blobs(place)
    const { etag } = await blobs.put('changing', contentSource('one'), transfer)
    await blobs.put('changing', contentSource('two'), { ...transfer, mode: 'overwrite' })
    const error = await errorOf(blobs.get('changing', { range: { start: 1, end: 2 }, ifMatch: etag }))
    expect(error).toMatchObject({ code: 'precondition-failed', retryable: false, resource: 'changing' })
    expect(error.message).toContain('has changed')
    expect(error.message).toContain('read it again from the start')
    blobs.close()
  })

  it('a key without room', async () => {
    const key = 'k'.repeat(1024 - place.prefix.length)
    for (const error of [
      await errorOf(s3Blobs(place).put(key, contentSource('x'), transfer)),
      await errorOf(s3Blobs(place).get(key, {})),
    ]) {
      expect(error).toMatchObject({ code: 'invalid-argument', argument: 'key' })
      expect(error.message).toContain('1025 bytes')
    }
    const longest = s3Blobs(place)
    await longest.put(key.slice(1), contentSource('x'), transfer)
    expect((await longest.head(key.slice(1), {})).size).toBe(1)
  })

  it('what is no S3', async () => {
    const page = { kind: 'status', status: 200, body: '<html>Welcome</html>' } as const
    const proxy = await faultProxy(server.endpoint, () => page)
    const blobs = s3Blobs({ ...place, endpoint: proxy.url })
    const error = await errorOf(blobs.list({ prefix: '', limit: 1 }, {}))
    expect(error.code).toBe('protocol')
    expect(error.message).toContain(proxy.url)
    expect(error.message).toContain('check the endpoint')
    blobs.close()
  })
})

describe('arguments', () => {
  it.each<[string, S3Options]>([
    ['bucket', { bucket: '' }],
    ['bucket', { bucket: 'a/b' }],
    ['prefix', { bucket: 'abc', prefix: 'ü' }],
    ['prefix', { bucket: 'abc', prefix: 'a//b' }],
    ['partSize', { bucket: 'abc', partSize: 1000 }],
    ['concurrency', { bucket: 'abc', concurrency: 0 }],
    ['endpoint', { bucket: 'abc', endpoint: 'minio:9000' }],
    ['endpoint', { bucket: 'abc', endpoint: `https://user:${SECRET}@example.com` }],
  ])('%s of %o', async (argument, options) => {
    const error = await errorOf((async () => s3Blobs(options))())
    expect(error).toMatchObject({ code: 'invalid-argument', argument })
  })

  it('creation is atomic for all sizes on AWS, and for single puts elsewhere', () => {
    const atomic = (o: Partial<S3Options>) => s3Blobs({ bucket: 'abc', ...o }).atomicCreate
    expect(atomic({})).toBe('always')
    expect(atomic({ endpoint: 'https://s3.eu-west-1.amazonaws.com' })).toBe('always')
    expect(atomic({ endpoint: 'https://amazonaws.com.example.com' })).toBe('single-put')
    expect(atomic({ client: new S3Client({ endpoint: 'http://127.0.0.1:9' }) })).toBe('single-put')
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9')
    expect(atomic({})).toBe('single-put')
  })
})
