import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { rawBody } from '../src/runtime/node/raw-get.js'
import type { RawBody, RawRequest } from '../src/runtime/types.js'
import { chunkMemory } from '../src/streams/chunk-memory.js'
import { concat, patterned } from './support/bytes.js'

const MiB = 1 << 20
const content = patterned(9 * MiB + 7)
const never = new AbortController().signal
const servers: Server[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

async function served(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

/** A server of the content, in pieces of that size. */
const inPieces = (size: number) =>
  served(async (_request, response) => {
    response.setHeader('Content-Length', content.byteLength)
    for (let at = 0; at < content.byteLength; at += size)
      if (!response.write(content.subarray(at, at + size))) await once(response, 'drain')
    response.end()
  })

async function get(url: URL, o: Partial<RawRequest> = {}): Promise<RawBody> {
  const body = await rawBody({ url, headers: {}, signal: never, ...o })
  return body ?? expect.unreachable('it was a plain answer')
}

const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

/** What comes, each piece looked at `behind` pieces later, and given back then. */
async function readLate(body: RawBody, behind: number, pause: number, memory = chunkMemory()) {
  const held: Uint8Array[] = []
  const copies: Uint8Array[] = []
  const free = (piece: Uint8Array | undefined) => {
    if (piece === undefined) return
    // a Buffer's slice is no copy
    copies.push(new Uint8Array(piece))
    memory.release(piece)
  }
  for await (const piece of body) {
    held.push(piece)
    await turns(pause)
    if (held.length > behind) free(held.shift())
  }
  for (const piece of held) free(piece)
  return concat(copies)
}

describe('memory that is used again', () => {
  it('holds what came, until it is given back', async () => {
    const how = fc.record({
      pieces: fc.integer({ min: 10_000, max: 3 * MiB }),
      behind: fc.nat(5),
      pause: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(how, async ({ pieces, behind, pause }) => {
        const memory = chunkMemory()
        const body = await get(await inPieces(pieces), { memory })
        const found = await readLate(body, behind, pause, memory)
        expect(Buffer.compare(found, content)).toBe(0)
      }),
      { numRuns: 15 },
    )
  })

  it('is little, however much comes', async () => {
    const memory = chunkMemory()
    let taken = 0
    const seen = new Set<ArrayBufferLike>()
    const counted = {
      ...memory,
      take(size: number) {
        const bytes = memory.take(size)
        taken += 1
        seen.add(bytes.buffer)
        return bytes
      },
    }
    const body = await get(await inPieces(3 * MiB), { memory: counted })
    expect(Buffer.compare(await readLate(body, 1, 0, memory), content)).toBe(0)
    expect(taken).toBeGreaterThan(30)
    expect(seen.size).toBeLessThan(15)
  })

  it('is lent to one at a time, and never that of somebody else', () => {
    const memory = chunkMemory()
    const first = memory.take(10)
    expect(memory.take(10).buffer).not.toBe(first.buffer)
    memory.release(new Uint8Array(10))
    memory.release(first.subarray(3))
    memory.release(first)
    const again = memory.take(5)
    expect([again.buffer, again.byteLength]).toEqual([first.buffer, 5])
    expect(memory.take(5).buffer).not.toBe(first.buffer)
    memory.release(again)
    expect(memory.take(10_000).byteLength).toBe(10_000)
  })
})

describe('a connection', () => {
  it('that is silent while bytes are waited for is broken', async () => {
    const url = await served((_request, response) => {
      response.setHeader('Content-Length', 100)
      response.write('abc')
    })
    const body = await get(url, { idle: 400 })
    const pieces: string[] = []
    const reading = (async () => {
      for await (const piece of body) pieces.push(Buffer.from(piece).toString())
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    expect(pieces).toEqual(['abc'])
  })

  it('that never answers is broken, too', async () => {
    const url = await served(() => {})
    await expect(rawBody({ url, headers: {}, signal: never, idle: 30 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    })
  })

  it('may be silent for as long as nobody wants to read', async () => {
    const idle = 400
    const body = await get(await inPieces(3 * MiB), { idle })
    const iterator = body[Symbol.asyncIterator]()
    const pieces = [(await iterator.next()).value]
    // the very thing that is to be shown: time goes by
    await new Promise((resolve) => setTimeout(resolve, 3 * idle))
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      pieces.push(next.value)
    expect(Buffer.compare(concat(pieces), content)).toBe(0)
  })

  it('that breaks is told of by a code', async () => {
    const url = await served((_request, response) => {
      response.setHeader('Content-Length', 100)
      response.write('abc', () => response.socket?.end())
    })
    await expect(readLate(await get(url), 0, 0)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('is closed with its body', async () => {
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const url = await served((request, response) => {
      request.socket.on('error', () => {}).on('close', leave)
      response.setHeader('Content-Length', content.byteLength)
      response.write(content.subarray(0, MiB))
    })
    const body = await get(url)
    const closed = new Promise<void>((resolve) => body.once('close', resolve))
    body.destroy()
    await closed
    await left
  })
})

it('is nothing where the answer is none that is read so', async () => {
  const url = await served((_request, response) => response.writeHead(503).end('no'))
  expect(await rawBody({ url, headers: {}, signal: never })).toBeUndefined()
})
