import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import { createServer as createTls, get as getByTls, Agent as TlsAgent } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { withLargeReads } from '../src/transfer/large-reads.js'
import { patterned } from './support/bytes.js'
import { selfSigned } from './support/self-signed.js'

const content = patterned(16 << 20)

/** Asks a server of its own for `content`. */
async function asker() {
  const server = createServer((_, res) => res.end(content)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = withLargeReads(new Agent({ keepAlive: true, maxSockets: 1 }))
  onTestFinished(() => {
    agent.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return async (): Promise<IncomingMessage> => {
    const [answer] = await once(get({ host: '127.0.0.1', port, agent }), 'response')
    return answer
  }
}

it('hands out what was sent, in large pieces, to one that is slower than the line, too', async () => {
  const ask = await asker()
  const pieces: Buffer[] = []
  for await (const piece of await ask()) {
    pieces.push(piece)
    // what is read meanwhile must not get into the memory of what waits
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(Buffer.compare(Buffer.concat(pieces), content)).toBe(0)
  expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeGreaterThan(64 * 1024)
})

it('keeps a connection for the next request', async () => {
  const ask = await asker()
  const first = await ask()
  const { socket } = first
  await once(first.resume(), 'close')
  const second = await ask()
  expect(second.socket).toBe(socket)
  await once(second.resume(), 'close')
})

it('reads as much over TLS', async () => {
  const server = createTls(selfSigned, (_, res) => res.end(content)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = withLargeReads(new TlsAgent({ ca: selfSigned.cert }))
  onTestFinished(() => {
    agent.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const [answer]: AsyncIterable<Buffer>[] = await once(
    getByTls({ host: '127.0.0.1', port, agent }),
    'response',
  )
  const pieces: Buffer[] = []
  for await (const piece of answer ?? []) pieces.push(piece)
  expect(Buffer.compare(Buffer.concat(pieces), content)).toBe(0)
})
