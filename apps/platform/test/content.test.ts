import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { backendOf } from '../src/index.js'
import { recordOf, upload } from './support/client.js'
import { started } from './support/server.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'

/** The alphabet as an artifact, and how it is asked for. */
async function alphabet() {
  const { url } = await started({ backend: backendOf('memory', '') })
  const { id, href } = await upload(url, ALPHABET, {
    'X-Content-Type': 'text/plain',
    'X-Name': base64('a/ü z'),
  })
  const etag = String((await recordOf(url, id))['etag'])
  const get = (headers: Record<string, string>, method = 'GET') => fetch(href, { method, headers })
  return { href, etag, get }
}

it('comes whole, with all that is known of it', async () => {
  const { href, etag } = await alphabet()
  const response = await fetch(href)
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'accept-ranges': 'bytes',
    'content-type': 'text/plain',
    'content-length': '26',
    'content-disposition': "attachment; filename*=UTF-8''%C3%BC%20z",
    'x-content-type-options': 'nosniff',
    etag,
  })
  expect(await response.text()).toBe(ALPHABET)
})

it.each<[string, number, string, string]>([
  ['bytes=0-0', 206, 'a', 'bytes 0-0/26'],
  ['bytes=3-5', 206, 'def', 'bytes 3-5/26'],
  ['bytes=20-', 206, 'uvwxyz', 'bytes 20-25/26'],
  ['bytes=-2', 206, 'yz', 'bytes 24-25/26'],
  ['bytes=-99', 206, ALPHABET, 'bytes 0-25/26'],
  ['bytes=24-99', 206, 'yz', 'bytes 24-25/26'],
  ['bytes=26-', 416, '', 'bytes */26'],
  ['bytes=99-100', 416, '', 'bytes */26'],
])('%s is answered with %i', async (range, status, text, contentRange) => {
  const { get } = await alphabet()
  const response = await get({ Range: range })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-range')).toBe(contentRange)
  expect(await response.text()).toBe(text)
})

it.each(['lines=1-2', 'bytes', 'bytes=1-2,5-6', 'bytes=x'])('%s is passed over', async (range) => {
  const { get } = await alphabet()
  const response = await get({ Range: range })
  expect([response.status, await response.text()]).toEqual([200, ALPHABET])
})

it('any range is that part', async () => {
  const { get } = await alphabet()
  const ends = fc.tuple(fc.nat({ max: 25 }), fc.nat({ max: 40 })).map(([a, b]) => [a, a + b] as const)
  await fc.assert(
    fc.asyncProperty(ends, async ([first, last]) => {
      const response = await get({ Range: `bytes=${first}-${last}` })
      expect(response.status).toBe(206)
      expect(await response.text()).toBe(ALPHABET.slice(first, last + 1))
    }),
    { numRuns: 30 },
  )
})

it('HEAD tells the same without the bytes', async () => {
  const { get, etag } = await alphabet()
  const whole = await get({}, 'HEAD')
  expect([whole.status, whole.headers.get('content-length')]).toEqual([200, '26'])
  expect(whole.headers.get('etag')).toBe(etag)
  const part = await get({ Range: 'bytes=3-5' }, 'HEAD')
  // RFC 9110 14.2: a Range counts for GET alone
  expect([part.status, part.headers.get('content-range')]).toEqual([200, null])
})

it('conditions count before ranges', async () => {
  const { get, etag } = await alphabet()
  const statusOf = async (headers: Record<string, string>) => (await get(headers)).status
  const Range = 'bytes=3-5'
  expect(await statusOf({ 'If-Match': etag })).toBe(200)
  expect(await statusOf({ 'If-Match': `"x", ${etag}`, Range })).toBe(206)
  expect(await statusOf({ 'If-Match': '*' })).toBe(200)
  expect(await statusOf({ 'If-Match': '"x"', Range })).toBe(412)
  expect(await statusOf({ 'If-None-Match': etag })).toBe(304)
  expect(await statusOf({ 'If-None-Match': `W/${etag}` })).toBe(304)
  expect(await statusOf({ 'If-None-Match': '"x"', Range })).toBe(206)
  expect(await statusOf({ 'If-Range': etag, Range })).toBe(206)
  expect(await statusOf({ 'If-Range': '"x"', Range })).toBe(200)
})

it('a record may say of its bytes what it likes: the headers stay proper', async () => {
  const backend = backendOf('memory', '')
  const { url } = await started({ backend })
  const { id, href } = await upload(url, 'x')
  const content = { $schema: 'urn:ivcap:schema.artifact.1', 'mime-type': 'te\r\nxt: ü', name: '\ud800"\n' }
  await backend.aspects.assert({ entity: id, schema: content.$schema, content }, 'replace', {})
  const response = await fetch(href)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/octet-stream')
  expect(response.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''%EF%BF%BD%22%0A`)
})

it('stops reading when the client has gone', async () => {
  const backend = backendOf('memory', '')
  let cancelled = () => {}
  const cancel = new Promise<void>((resolve) => {
    cancelled = resolve
  })
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: () => cancelled(),
  })
  const { artifacts } = backend
  const read: typeof artifacts.read = async (id, o) => {
    const content = await artifacts.read(id, o)
    await content.body.cancel()
    return { ...content, record: { ...content.record, size: 1e12 }, body: endless }
  }
  const { url } = await started({ backend: { ...backend, artifacts: { ...artifacts, read } } })
  const { href } = await upload(url, 'x')
  const leaving = new AbortController()
  onTestFinished(() => leaving.abort())
  const response = await fetch(href, { signal: leaving.signal })
  await response.body?.getReader().read()
  leaving.abort()
  await cancel
})
