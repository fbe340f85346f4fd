import { type Fault, faultProxy } from '@ivcap/conformance/fault-proxy'
import { Ivcap } from '@ivcap/core'
import { contentSource } from '@ivcap/core/driver'
import { expect, it } from 'vitest'
import { platformBackend } from '../src/index.js'
import { collect, draft, someBytes, transfer } from './support/content.js'
import { deployment, TOKEN } from './support/deployment.js'

const bytes = someBytes(500_000)
const selfLink = JSON.stringify({ items: [], links: [{ rel: 'next', href: '?page=same' }] })

async function place() {
  const { url } = await deployment()
  const proxy = await faultProxy(url)
  const backend = platformBackend({
    url: proxy.url,
    token: TOKEN,
    stateDir: false,
    idleTimeout: 400,
    retryDelay: 1,
  })
  const { id } = await backend.artifacts.create(contentSource(bytes), draft, transfer)
  proxy.seen.length = 0
  const contentRequests = () => proxy.seen.filter((s) => s.path.endsWith('/blob'))
  return { proxy, backend, id, contentRequests, artifact: await new Ivcap(backend).getArtifact(id) }
}

/** The first `times` requests for content go wrong. */
function forContent(fault: Fault, times: number) {
  let left = times
  return ({ path }: { readonly path: string }) => (path.endsWith('/blob') && left-- > 0 ? fault : undefined)
}

// known failure: no-download-resume, hang, short-without-length
it.each<[string, Fault]>([
  ['is cut off', { kind: 'cut-answer', after: 200_000, how: 'reset' }],
  ['ends early without having told its length', { kind: 'cut-answer', after: 200_000, how: 'end' }],
  ['stands still', { kind: 'cut-answer', after: 200_000, how: 'stall' }],
  ['does not come', { kind: 'status', status: 503, headers: { 'Retry-After': '0' } }],
  ['is never begun', { kind: 'lose-answer' }],
])('a body that %s is taken up where it broke', { timeout: 30_000 }, async (_, fault) => {
  const { proxy, artifact, contentRequests, id, backend } = await place()
  proxy.plan = forContent(fault, 2)
  expect(Buffer.compare(await artifact.bytes(), bytes)).toBe(0)
  const [first, second] = contentRequests()
  expect(first?.headers.range).toBeUndefined()
  const { etag } = await backend.artifacts.stat(id, {})
  if (fault.kind === 'cut-answer') {
    expect(second?.headers.range).toMatch(/^bytes=[1-9]\d+-499999$/)
    expect(second?.headers['if-match']).toBe(`"${etag}"`)
  }
})

// known failure: short-without-length
it('a driver body that ends early is a retryable error, never a short success', async () => {
  const { proxy, backend, id } = await place()
  for (const how of ['reset', 'end', 'stall'] as const) {
    proxy.plan = forContent({ kind: 'cut-answer', after: 1000, how }, 1)
    const { body } = await backend.artifacts.read(id, {})
    await expect(collect(body)).rejects.toMatchObject({ retryable: true })
  }
})

it('a server without ranges is read past the beginning', async () => {
  const { proxy, backend, id } = await place()
  const { etag = '' } = await backend.artifacts.stat(id, {})
  // 200 and all of it, whatever was asked for
  proxy.plan = ({ path }) =>
    path.endsWith('/blob')
      ? { kind: 'status', status: 200, headers: { ETag: `"${etag}"` }, body: 'x'.repeat(bytes.byteLength) }
      : undefined
  const { body } = await backend.artifacts.read(id, { range: { start: 100_000, end: 100_005 } })
  expect(new TextDecoder().decode(await collect(body))).toBe('xxxxx')
})

it('another content under the same address is noticed', async () => {
  const { proxy, backend, id } = await place()
  const answer = (status: number, headers: Record<string, string>, body: string) => {
    proxy.plan = ({ path }) =>
      path.endsWith('/blob') ? { kind: 'status', status, headers, body } : undefined
  }
  answer(200, { ETag: '"other"' }, 'other')
  await expect(backend.artifacts.read(id, {})).rejects.toMatchObject({ code: 'precondition-failed' })
  answer(206, { 'Content-Range': 'bytes 0-4/5' }, 'other')
  const range = { start: 3, end: 8 }
  await expect(backend.artifacts.read(id, { range })).rejects.toMatchObject({ code: 'protocol' })
  answer(206, { 'Content-Range': 'bytes 3-7/5' }, 'other')
  await expect(backend.artifacts.read(id, { range })).rejects.toMatchObject({ code: 'protocol' })
  answer(206, { 'Content-Range': `bytes 3-7/${bytes.byteLength}` }, 'too long')
  const { body } = await backend.artifacts.read(id, { range })
  await expect(collect(body)).rejects.toMatchObject({ code: 'protocol' })
})

// known failure: html-error
it.each<[string, Fault, object]>([
  [
    'a page',
    { kind: 'status', status: 200, body: '<html>Welcome</html>' },
    { code: 'protocol', retryable: false },
  ],
  ['nothing', { kind: 'status', status: 200 }, { code: 'protocol' }],
  ['half of it', { kind: 'edit', edit: (body) => body.slice(0, -20) }, { code: 'protocol' }],
  ['a list', { kind: 'status', status: 200, body: '[]' }, { code: 'protocol', retryable: false }],
  ['a page of 10 MB', { kind: 'status', status: 500, body: 'x'.repeat(10_000_000) }, { status: 500 }],
  ['a next link to itself', { kind: 'status', status: 200, body: selfLink }, { code: 'protocol' }],
])('%s instead of a list is an error with an excerpt', async (_, fault, expected) => {
  const { proxy, backend } = await place()
  const query = { limit: 1, orderDesc: true }
  proxy.plan = () => fault
  const list = async () => {
    const first = await backend.artifacts.list(query, {})
    return backend.artifacts.list({ ...query, ...(first.cursor && { cursor: first.cursor }) }, {})
  }
  const failed = list()
  await expect(failed).rejects.toMatchObject(expected)
  await failed.catch((error: Error) => expect(error.message.length).toBeLessThan(1000))
})

// known failure: html-error, empty-403
it.each([
  [400, 'invalid-argument', '{"message":"no"}'],
  [403, 'permission-denied', ''],
  [404, 'not-found', '<html>not here</html>'],
  [409, 'already-exists', ''],
  [415, 'invalid-argument', ''],
  [424, 'ambiguous', '{"message":"not unique"}'],
  [429, 'rate-limited', ''],
  [501, 'unsupported', '{"name":"content-path","message":"not here"}'],
  [503, 'unavailable', 'null'],
  [599, 'unknown', ''],
])('%i is %s', async (status, code, body) => {
  const { proxy } = await place()
  proxy.plan = () => ({ kind: 'status', status, body })
  const schema = 'urn:example:schema:x.1'
  const { aspects } = platformBackend({ url: proxy.url, token: TOKEN, retries: 0 })
  const put = aspects.assert({ entity: 'urn:example:x', schema, content: { $schema: schema } }, 'replace', {})
  await expect(put).rejects.toMatchObject({
    code,
    status,
    ...(body.includes('name') && { argument: 'contentPath' }),
  })
})
