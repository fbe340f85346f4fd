import { inspect } from 'node:util'
import { Storage } from '@google-cloud/storage'
import { contentSource, type IvcapError, isIvcapError } from '@ivcap/core/driver'
import { describe, expect, it } from 'vitest'
import { type GcsOptions, gcsBlobs } from '../src/index.js'
import { transfer as patient } from './support/content.js'
import { freshPlace, gcsServer } from './support/gcs.js'
import { proxied } from './support/proxied.js'

const server = await gcsServer()
const transfer = { ...patient, retries: 0 }
const SECRET = 'canary-secret'

async function errorOf(promise: Promise<unknown>): Promise<IvcapError> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (e: unknown) => e,
  )
  if (!isIvcapError(error)) throw error
  expect(inspect(error, { depth: 8 })).not.toContain(SECRET)
  return error
}

/** What all calls fail with alike. */
async function errorsOf(o: GcsOptions): Promise<readonly IvcapError[]> {
  const blobs = gcsBlobs(o)
  const large = contentSource(new Uint8Array(600_000))
  const errors = await Promise.all([
    errorOf(blobs.list({ prefix: '', limit: 1 }, {})),
    errorOf(blobs.get('key', {})),
    errorOf(blobs.put('key', contentSource('x'), transfer)),
    errorOf(blobs.put('key', large, { ...transfer, chunkSize: 1 })),
    errorOf(blobs.head('key', {})),
    errorOf(blobs.delete('key', {})),
  ])
  blobs.close()
  return errors
}

describe.runIf(server)('errors say what to check', { timeout: 60_000 }, async () => {
  if (server === undefined) return
  const place = await freshPlace(server)

  it('no such bucket', async () => {
    for (const error of await errorsOf({ ...place, bucket: 'no-such-bucket' })) {
      expect(error).toMatchObject({ code: 'invalid-argument', argument: 'bucket' })
      expect(error.message).toContain('gs://no-such-bucket/')
      expect(error.message).toContain(place.apiEndpoint)
    }
  })

  it('nobody listens, and no such host', async () => {
    for (const refused of await errorsOf({ ...place, apiEndpoint: 'http://127.0.0.1:9' })) {
      expect(refused).toMatchObject({ code: 'unavailable', retryable: true })
      expect(refused.message).toContain('nobody listens')
    }
    for (const unknown of await errorsOf({ ...place, apiEndpoint: 'http://no-such-host.invalid' })) {
      expect(unknown).toMatchObject({ code: 'unavailable', retryable: false })
      expect(unknown.message).toContain('check apiEndpoint')
    }
  })

  it('credentials that are none', async () => {
    const credentials = { client_email: 'nobody@example.com', private_key: SECRET }
    for (const error of await errorsOf({ ...place, credentials })) {
      expect(error).toMatchObject({ code: 'unauthenticated', retryable: false })
      expect(error.message).toContain('GOOGLE_APPLICATION_CREDENTIALS')
    }
    for (const error of await errorsOf({ ...place, keyFilename: '/no/such/key.json' })) {
      expect(error).toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('a key without room', async () => {
    const key = 'k'.repeat(1024 - place.prefix.length)
    const blobs = gcsBlobs(place)
    for (const error of [
      await errorOf(blobs.put(key, contentSource('x'), transfer)),
      await errorOf(blobs.get(key, {})),
    ]) {
      expect(error).toMatchObject({ code: 'invalid-argument', argument: 'key' })
      expect(error.message).toContain('1025 bytes')
    }
    await blobs.put(key.slice(1), contentSource('x'), transfer)
    expect((await blobs.head(key.slice(1), {})).size).toBe(1)
    blobs.close()
  })

  it('a token goes on every path, to the named server alone', async () => {
    const { proxy, bucket, prefix } = await proxied(server)
    const authClient = { getRequestHeaders: async () => ({ Authorization: `Bearer ${SECRET}` }) }
    const client = new Storage({ apiEndpoint: proxy.url, useAuthWithCustomEndpoint: true })
    Object.assign(client.authClient, authClient)
    const blobs = gcsBlobs({ client, bucket, prefix, partSize: 256 * 1024 })
    await blobs.put('small', contentSource('x'), transfer)
    await blobs.put('large', contentSource(new Uint8Array(600_000)), transfer)
    for await (const _ of (await blobs.get('large', {})).body);
    await blobs.head('large', {})
    await blobs.list({ prefix: '', limit: 5 }, {})
    await blobs.delete('small', {})
    blobs.close()
    expect(proxy.seen.length).toBeGreaterThan(10)
    for (const { headers } of proxy.seen) expect(headers.authorization).toBe(`Bearer ${SECRET}`)
  })

  it('no way to the server that gives tokens', async () => {
    const client = new Storage({ apiEndpoint: place.apiEndpoint, useAuthWithCustomEndpoint: true })
    const getRequestHeaders = async () => {
      throw Object.assign(new Error(`https://tokens.invalid/?key=${SECRET}`), { code: 'ENOTFOUND' })
    }
    Object.assign(client.authClient, { getRequestHeaders })
    for (const error of await errorsOf({ ...place, client })) {
      expect(error).toMatchObject({ code: 'unavailable' })
      expect(error.message).toContain('gives tokens')
    }
  })
})

describe('arguments', () => {
  it.each<[string, GcsOptions]>([
    ['bucket', { bucket: '' }],
    ['bucket', { bucket: 'a/b' }],
    ['prefix', { bucket: 'abc', prefix: 'ü' }],
    ['prefix', { bucket: 'abc', prefix: 'a//b' }],
    ['partSize', { bucket: 'abc', partSize: 1000 }],
    ['concurrency', { bucket: 'abc', concurrency: 0 }],
    ['apiEndpoint', { bucket: 'abc', apiEndpoint: 'localhost:4443' }],
    ['apiEndpoint', { bucket: 'abc', apiEndpoint: `https://user:${SECRET}@example.com` }],
  ])('%s of %o', async (argument, options) => {
    const error = await errorOf((async () => gcsBlobs(options))())
    expect(error).toMatchObject({ code: 'invalid-argument', argument })
  })
})
