import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { folder } from './support/deployment.js'
import { clientOf, ID, isBlob, json, record } from './support/odd-server.js'

const DIGITS = '0123456789'
const plain = { 'content-type': 'text/plain' }

type Answer = { status?: number; headers?: Record<string, string>; body: string | Uint8Array }

/** An artifact whose record says one thing, and whose content is answered as a test wants. */
async function artifactOf(over: object, answer: (range: string | undefined) => Answer) {
  const place = await clientOf((request, response) => {
    if (!isBlob(request)) return json(response, record(over))
    const { status = 200, headers = {}, body } = answer(request.headers.range)
    response.writeHead(status, { ...plain, ...headers })
    // two writes: without a Content-Length the answer is chunked
    response.write(body.slice(0, 1))
    response.end(body.slice(1))
  })
  return { ...place, artifact: await place.ivcap.getArtifact(ID) }
}

const ways = ['text', 'stream', 'file'] as const
async function read(
  artifact: Awaited<ReturnType<typeof artifactOf>>['artifact'],
  way: (typeof ways)[number],
) {
  const quick = { retries: 1, retryDelay: 1 }
  if (way === 'text') return artifact.text(quick)
  if (way === 'stream') return new Response(artifact.asStream(quick)).text()
  const { path } = await artifact.asLocalFile(join(await folder(), 'out.txt'), quick)
  return readFile(path, 'utf8')
}

describe.each(ways)('as %s', (way) => {
  it.each([
    ['longer, with its length', `${DIGITS}ABCDEF`, true],
    ['longer, chunked', `${DIGITS}ABCDEF`, false],
    ['shorter, with its length', '01234', true],
    ['shorter, chunked', '01234', false],
  ])('content that is %s than the record says is an error', async (_, body, withLength) => {
    const headers = withLength ? { 'content-length': String(body.length) } : undefined
    const { artifact } = await artifactOf({}, () => ({ body, ...(headers && { headers }) }))
    await expect(read(artifact, way)).rejects.toMatchObject({ code: 'integrity', resource: ID })
  })

  it.each([
    ['with a Content-Length', DIGITS, true],
    ['chunked', DIGITS, false],
    ['empty', '', true],
  ])('content whose record has no size is read whole: %s', async (_, body, withLength) => {
    const { artifact } = await artifactOf({ size: undefined }, () => ({
      body,
      headers: withLength ? { 'content-length': String(body.length) } : {},
    }))
    expect(artifact.size).toBeUndefined()
    expect(await read(artifact, way)).toBe(body)
    expect(artifact.size).toBe(withLength ? body.length : undefined)
  })

  it.each([
    ['gzip', gzipSync(DIGITS)],
    ['GZIP', gzipSync(DIGITS)],
    ['x-gzip', gzipSync(DIGITS)],
    ['deflate', deflateSync(DIGITS)],
    ['Br', brotliCompressSync(DIGITS)],
    ['identity', Buffer.from(DIGITS)],
    ['deflate, gzip', gzipSync(deflateSync(DIGITS))],
  ])('the Content-Encoding %s is undone', async (coding, body) => {
    const headers = { 'content-encoding': coding, 'content-length': String(body.byteLength) }
    const { artifact } = await artifactOf({}, () => ({ body, headers }))
    expect(await read(artifact, way)).toBe(DIGITS)
  })

  it('an unknown Content-Encoding is a protocol error', async () => {
    const { artifact } = await artifactOf({}, () => ({
      body: DIGITS,
      headers: { 'content-encoding': 'gzip, snappy' },
    }))
    await expect(read(artifact, way)).rejects.toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('snappy'),
    })
  })
})

it.each([
  ['another total', 'bytes 2-4/99', '3', 'integrity'],
  ['another start', 'bytes 3-4/10', '3', 'protocol'],
  ['more than was asked for', 'bytes 2-5/10', '3', 'protocol'],
  ['no range', 'lines 2-4/10', '3', 'protocol'],
  ['another Content-Length', 'bytes 2-4/10', '2', 'protocol'],
])('a Content-Range with %s is an error', async (_, range, length, code) => {
  const { artifact } = await artifactOf({}, () => ({
    status: 206,
    headers: { 'content-range': range, 'content-length': length },
    body: '234'.slice(0, Number(length)),
  }))
  const stream = artifact.asStream({ range: { start: 2, end: 5 }, retries: 0 })
  await expect(new Response(stream).text()).rejects.toMatchObject({ code })
})

describe('a record without a size', () => {
  const asked = (range: string | undefined) => /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
  const ranged = (range: string | undefined): Answer => {
    const [, start = '0', end = ''] = asked(range) ?? []
    const last = end === '' ? 9 : Math.min(Number(end), 9)
    const headers = { etag: '"e"', 'content-range': `bytes ${start}-${last}/*` }
    return { status: 206, headers, body: DIGITS.slice(Number(start), last + 1) }
  }

  it.each([
    [{ start: 2, end: 5 }, '234'],
    [{ start: 7 }, '789'],
    [{ start: 8, end: 100 }, '89'],
  ])('its range %j is read, from servers with and without ranges', async (range, expected) => {
    for (const answer of [ranged, () => ({ body: DIGITS })]) {
      const { artifact } = await artifactOf({ size: undefined }, answer)
      expect(await new Response(artifact.asStream({ range })).text()).toBe(expected)
    }
  })

  it('a range past the end is refused', async () => {
    const { artifact } = await artifactOf({ size: undefined }, () => ({ body: DIGITS }))
    const stream = artifact.asStream({ range: { start: 10 } })
    await expect(new Response(stream).text()).rejects.toMatchObject({
      code: 'invalid-argument',
      argument: 'range',
    })
  })

  it.each([
    ['in the middle', 4],
    ['after the last byte', 10],
  ])('a download that breaks %s goes on, pinned to the etag', async (_, breaksAt) => {
    let broken = 0
    const { ivcap, events } = await clientOf((request, response) => {
      if (!isBlob(request)) return json(response, record({ size: undefined }))
      if (request.headers.range === undefined) {
        broken += 1
        response.writeHead(200, { ...plain, etag: '"e"' })
        response.write(DIGITS.slice(0, breaksAt), () => response.destroy())
        return
      }
      const { status, headers, body } = ranged(request.headers.range)
      response.writeHead(status ?? 200, headers).end(body)
    })
    const artifact = await ivcap.getArtifact(ID)
    expect(await artifact.text({ retryDelay: 1 })).toBe(DIGITS)
    expect(broken).toBe(1)
    expect(events).toEqual([])
  })

  it('a download that breaks without an etag is an error, and never guessed', async () => {
    const { ivcap } = await clientOf((request, response) => {
      if (!isBlob(request)) return json(response, record({ size: undefined }))
      response.writeHead(200, plain)
      response.write(DIGITS.slice(0, 4), () => response.destroy())
    })
    const artifact = await ivcap.getArtifact(ID)
    const failed = artifact.text({ retryDelay: 1 })
    await expect(failed).rejects.toMatchObject({ code: 'unavailable' })
  })
})

it.each(['vü日', 'a"b', 'a\nb', 'W/"weak"'])(
  'an etag that no header can hold hides nothing: %j',
  async (etag) => {
    const { artifact } = await artifactOf({ etag }, () => ({ body: DIGITS }))
    expect(artifact.etag).toBeUndefined()
    expect(await artifact.text()).toBe(DIGITS)
  },
)

it('a handle learns from the answer to a read', async () => {
  let size = 10
  const { artifact } = await artifactOf(
    {
      get size() {
        return size
      },
    },
    () => ({ body: 'x'.repeat(size) }),
  )
  size = 3
  expect(await artifact.text()).toBe('xxx')
  expect(artifact.size).toBe(3)
})
