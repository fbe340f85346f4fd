import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { Agent, createServer as createTls } from 'node:https'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { rawGet } from '../src/runtime/node/raw-get.js'
import type { RawResponse } from '../src/runtime/types.js'
import { patterned } from './support/bytes.js'
import { selfSigned } from './support/self-signed.js'

const MiB = 1 << 20
const never = new AbortController().signal
const servers: Server[] = []

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

async function listening(server: Server, scheme = 'http'): Promise<URL> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return new URL(`${scheme}://127.0.0.1:${port}/some/where?part=1`)
}

const served = (listener: RequestListener) => listening(createServer(listener))

/** A server that says just this to whoever has asked, and whether it was left since. */
async function saying(text: string): Promise<{ url: URL; left: Promise<unknown> }> {
  let tell: (value: unknown) => void = () => {}
  const left = new Promise((resolve) => {
    tell = resolve
  })
  const server = createTcp((socket: Socket) => {
    socket.on('error', () => {}).once('close', tell)
    socket.once('data', () => socket.write(text))
  })
  return { url: await listening(server), left }
}

const ask = (url: URL, headers: Record<string, string> = {}, signal = never) =>
  rawGet({ url, headers, signal })

async function plain(url: URL, headers?: Record<string, string>, signal?: AbortSignal): Promise<RawResponse> {
  const answer = await ask(url, headers, signal)
  if (answer === undefined) throw new Error('it was a plain answer')
  return answer
}

async function all(answer: RawResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for (let chunk = await answer.next(); chunk !== undefined; chunk = await answer.next()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('what comes', () => {
  it('is the body, whatever its size and the pieces that it comes in', async () => {
    const plan = fc.record({
      size: fc.oneof(fc.nat(3000), fc.integer({ min: MiB - 2, max: MiB + 2 }), fc.nat(4 * MiB)),
      piece: fc.oneof(fc.integer({ min: 100, max: 70_000 }), fc.constant(4 * MiB)),
    })
    let body = new Uint8Array()
    let step = 1
    const url = await served(async (_request, response) => {
      response.setHeader('Content-Length', body.byteLength)
      for (let at = 0; at < body.byteLength; at += step) {
        if (!response.write(body.subarray(at, at + step))) await once(response, 'drain')
      }
      response.end()
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ size, piece }) => {
        body = patterned(size)
        step = piece
        const found = await all(await plain(url))
        expect(Buffer.compare(found, body)).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it('lies in memory of its own, chunk by chunk', async () => {
    const url = await served((_request, response) => slowly(response, 20))
    const answer = await plain(url)
    const buffers: ArrayBufferLike[] = []
    for (let chunk = await answer.next(); chunk !== undefined; chunk = await answer.next()) {
      buffers.push(chunk.buffer)
    }
    expect(buffers.length).toBeGreaterThan(1)
    expect(new Set(buffers).size).toBe(buffers.length)
  })

  it('is told with its status and headers, as asked for with ours', async () => {
    const url = await served((request, response) => {
      const { host, range, connection } = request.headers
      response.writeHead(206, {
        'Content-Length': 2,
        ETag: '"x"',
        Said: [host, range, connection, request.url].join(),
      })
      response.end('ab')
    })
    const { status, headers, next } = await plain(url, { Range: 'bytes=3-4' })
    expect(status).toBe(206)
    expect(headers.get('etag')).toBe('"x"')
    expect(headers.get('said')).toBe(`${url.host},bytes=3-4,close,/some/where?part=1`)
    expect(await next()).toEqual(new Uint8Array([97, 98]))
    expect(await next()).toBeUndefined()
  })

  it('is nothing of what stands behind the body', async () => {
    const { url, left } = await saying('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK')
    expect((await all(await plain(url))).toString()).toBe('abc')
    await left
  })

  it('is fetched only so far ahead of who reads it', async () => {
    let sent = 0
    const chunk = patterned(MiB)
    const url = await served((_request, response) => {
      response.setHeader('Content-Length', 200 * MiB)
      const source = new Readable({
        read() {
          sent += MiB
          this.push(sent > 200 * MiB ? null : chunk)
        },
      })
      source.pipe(response)
    })
    const answer = await plain(url)
    for (let read = 0, n = 0; n < 40; n += 1) {
      read += (await answer.next())?.byteLength ?? 0
      // whatever could come meanwhile
      for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
      // what the system keeps on both sides is some MiB
      expect(sent - read).toBeLessThan(32 * MiB)
    }
    await answer.cancel()
  })

  it('comes over TLS, if the certificate is trusted: by default, or by the certificate authority of an agent', async () => {
    const body = patterned(3 * MiB)
    const server = createTls(selfSigned, (_request, response) => response.end(body))
    server.on('tlsClientError', () => {})
    const url = await listening(server, 'https')
    await expect(ask(url)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const agent = new Agent({ ca: selfSigned.cert })
    const trusted = await rawGet({ url, headers: {}, signal: never, agent })
    expect(trusted?.headers.get('content-length')).toBe(`${body.byteLength}`)
    if (trusted !== undefined) expect(Buffer.compare(await all(trusted), body)).toBe(0)
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    expect(Buffer.compare(await all(await plain(url)), body)).toBe(0)
  })
})

describe('what is left to others', () => {
  it.each([
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n'],
    ['a failure', 'HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno'],
    ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'],
    ['an encoding', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nabc'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na'],
    ['a length of both kinds', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: x\r\n\r\na'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n X: y\r\n\r\na'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na'],
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`],
  ])('%s', async (_what, text) => {
    const { url, left } = await saying(text)
    expect(await ask(url)).toBeUndefined()
    await left
  })
})

describe('what goes wrong', () => {
  it('a connection that breaks gives what came, then its error', async () => {
    const url = await served((_request, response) => {
      response.setHeader('Content-Length', 100)
      response.write('abc', () => response.destroy())
    })
    const answer = await plain(url)
    expect(Buffer.from((await answer.next()) ?? []).toString()).toBe('abc')
    await expect(answer.next()).rejects.toThrow()
  })

  it('a server that is silent and ends, or is not there', async () => {
    const url = await served((request) => request.socket.destroy())
    await expect(ask(url)).rejects.toThrow()
    const gone = await listening(createTcp())
    await new Promise((done) => servers.pop()?.close(done))
    await expect(ask(gone)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it.each(['before the head', 'in the body'])('an abort ends the connection %s', async (where) => {
    const stop = new AbortController()
    const { url, left } = await saying(
      where === 'in the body' ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab' : '',
    )
    if (where === 'in the body') {
      const answer = await plain(url, {}, stop.signal)
      await answer.next()
      const next = answer.next()
      stop.abort()
      await expect(next).rejects.toThrow()
    } else {
      const asking = ask(url, {}, stop.signal)
      stop.abort()
      await expect(asking).rejects.toThrow()
    }
    await (where === 'in the body' ? left : undefined)
  })

  it('a cancel ends the connection', async () => {
    const { url, left } = await saying('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab')
    const answer = await plain(url)
    await answer.cancel()
    await answer.cancel()
    await left
  })

  it('headers that would be more than one are not sent', async () => {
    let asked = 0
    const url = await served((_request, response) => {
      asked += 1
      response.end()
    })
    await expect(ask(url, { Authorization: 'Bearer a\r\nX: b' })).rejects.toMatchObject({
      code: 'ERR_INVALID_CHAR',
    })
    expect(asked).toBe(0)
  })
})

/** A body whose pieces come one by one, so that none waits for the next. */
async function slowly(response: ServerResponse, pieces: number): Promise<void> {
  response.setHeader('Content-Length', pieces * 1000)
  for (let n = 0; n < pieces; n += 1) {
    response.write(patterned(1000))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  response.end()
}
