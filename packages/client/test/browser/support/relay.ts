import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { listen } from './site.js'

interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Bytes of its body. */
  sent: number
}

export interface Relay {
  readonly url: string
  readonly seen: Seen[]
  /** Answers in the target's place if it returns true. */
  answer(seen: Seen, res: ServerResponse): boolean
  /** Bytes of content sent up so far. */
  uploaded(): number
  count(method: string): number
}

/** Passes all on to `target` and writes down what it was; gone when the test ends. */
export async function relayTo(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target)
  const seen: Seen[] = []
  const [url, server] = await listen((req, res) => {
    const { method = '', url: path = '', headers } = req
    const one: Seen = { method, path, headers, sent: 0 }
    seen.push(one)
    req.on('data', (bytes: Buffer) => {
      one.sent += bytes.byteLength
    })
    for (const half of [req, res]) half.on('error', () => {})
    if (relay.answer(one, res)) return void req.resume()
    const onward = request({ hostname, port, method, path, headers }, (response) => {
      response.on('error', () => res.destroy())
      response.pipe(res.writeHead(response.statusCode ?? 502, response.headers))
    })
    onward.on('error', () => res.destroy())
    req.on('aborted', () => onward.destroy())
    req.pipe(onward)
  }, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const relay: Relay = {
    url,
    seen,
    answer: () => false,
    uploaded: () => seen.filter((s) => s.method === 'PATCH').reduce((sum, s) => sum + s.sent, 0),
    count: (method) => seen.filter((s) => s.method === method).length,
  }
  return relay
}
