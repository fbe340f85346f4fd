import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { onTestFinished } from 'vitest'

/** What goes wrong with one request on its way. */
export type Fault =
  /** The connection is reset once so many bytes of the request's body have gone on; the server gets those. */
  | { readonly kind: 'reset'; readonly after: number }
  /** The server does what it was asked; its answer is lost. */
  | { readonly kind: 'lose-answer' }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** No answer, ever. */
  | { readonly kind: 'stall' }
  /** The answer's body ends after so many bytes: by a reset, by a plain end without a length, or not at all. */
  | { readonly kind: 'cut-answer'; readonly after: number; readonly how: 'reset' | 'end' | 'stall' }
  /** The answer's body comes in pieces of so many bytes. */
  | { readonly kind: 'dribble'; readonly bytes: number }
  /** The answer's body is another one. */
  | { readonly kind: 'edit'; readonly edit: (body: string) => string }

interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Bytes of its body that came to the proxy. */
  sent: number
  /** Milliseconds, monotonic. */
  readonly at: number
}

/** @param n the number of the request, from 0 */
export type Plan = (seen: Seen, n: number) => Fault | undefined

export interface FaultProxy {
  readonly url: string
  /** Where it forwards to; may move. */
  target: string
  plan: Plan
  readonly seen: Seen[]
  /** Requests whose answer the client neither has to its end nor has given up. */
  readonly open: number
  /** Connections that clients have made, by now. */
  readonly connections: number
}

/** Stands between a client and `target`, and does to each request what the plan says. Gone when the test ends. */
export async function faultProxy(target: string, plan: Plan = () => undefined): Promise<FaultProxy> {
  const underWay = new Set<ServerResponse>()
  const server = createServer((req, res) => {
    const seen: Seen = {
      method: req.method ?? '',
      path: req.url ?? '',
      headers: req.headers,
      sent: 0,
      at: performance.now(),
    }
    const fault = proxy.plan(seen, proxy.seen.length)
    proxy.seen.push(seen)
    underWay.add(res)
    res.on('close', () => underWay.delete(res))
    req.on('data', (bytes: Buffer) => {
      seen.sent += bytes.byteLength
    })
    // whoever is cut off on purpose complains
    for (const one of [req, res]) one.on('error', () => {})
    if (fault?.kind === 'stall') return void req.resume()
    if (fault?.kind === 'status') return answer(req, res, fault)
    forward(new URL(proxy.target), req, res, fault)
  })
  let connections = 0
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${port}`,
    target,
    plan,
    seen: [],
    get open() {
      return underWay.size
    },
    get connections() {
      return connections
    },
  }
  return proxy
}

function answer(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body = '' }: Fault & { kind: 'status' },
): void {
  req.resume()
  req.on('end', () => res.writeHead(status, headers).end(body))
}

function forward(target: URL, req: IncomingMessage, res: ServerResponse, fault: Fault | undefined): void {
  const { hostname, port } = target
  const upstream = request({ hostname, port, method: req.method, path: req.url, headers: req.headers })
  upstream.on('error', () => res.destroy())
  upstream.on('response', (response) => pass(response, res, fault))
  if (fault?.kind !== 'reset') return void req.pipe(upstream)
  let left = fault.after
  const cut = () => {
    res.socket?.resetAndDestroy()
    // what has been forwarded gets there
    upstream.socket?.end()
  }
  req.on('data', (bytes: Buffer) => {
    if (left <= 0) return
    upstream.write(bytes.subarray(0, left))
    left -= bytes.byteLength
    if (left <= 0) cut()
  })
  req.on('end', cut)
}

function pass(response: IncomingMessage, res: ServerResponse, fault: Fault | undefined): void {
  response.on('error', () => res.destroy())
  const { statusCode = 502, headers } = response
  if (fault?.kind === 'lose-answer') {
    response.resume()
    return void response.on('end', () => res.socket?.resetAndDestroy())
  }
  if (fault?.kind === 'edit') return void edited(response, res, fault.edit)
  if (fault?.kind !== 'cut-answer') {
    res.writeHead(statusCode, headers)
    res.on('close', () => response.destroy())
    if (fault?.kind !== 'dribble') return void response.pipe(res)
    return void pipeline(response, inPieces(fault.bytes), res, () => {})
  }
  const { 'content-length': _, ...plain } = headers
  const endless = fault.how === 'end'
  res.writeHead(statusCode, endless ? { ...plain, connection: 'close' } : headers)
  res.flushHeaders()
  let left = fault.after
  response.on('data', (bytes: Buffer) => {
    if (left > 0) res.write(bytes.subarray(0, left))
    left -= bytes.byteLength
  })
  response.on('end', () => {
    if (fault.how === 'stall') return
    // a half that has been written is sent before the end
    if (endless) res.end()
    else setImmediate(() => res.socket?.end())
  })
}

/** Each piece on its own turn, so that it travels alone. */
const inPieces = (bytes: number) =>
  async function* (body: AsyncIterable<Buffer>) {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.byteLength; at += bytes) {
        yield chunk.subarray(at, at + bytes)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }

async function edited(response: IncomingMessage, res: ServerResponse, edit: (body: string) => string) {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const body = edit(Buffer.concat(chunks).toString())
  const { 'content-length': _, ...headers } = response.headers
  res.writeHead(response.statusCode ?? 502, headers).end(body)
}
