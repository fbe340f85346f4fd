import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Plan, Seen } from './fault.js'
import { forward, SkippedPages } from './forward.js'

export interface FaultProxy {
  readonly url: string
  /** The URL to which requests are forwarded. It may change. */
  target: string
  plan: Plan
  readonly seen: Seen[]
  /** Number of requests whose response the client has neither received completely nor cancelled. */
  readonly open: number
  /** Number of connections that clients have made so far. */
  readonly connections: number
  /** Number of these connections that are closed. */
  readonly closed: number
  /** Resolves once the server has responded to all late requests. */
  settled(): Promise<void>
  /** Closes the proxy before the test ends, for tests that open many proxies. */
  close(): void
}

/** Starts a proxy between a client and `target` that applies the plan to each request. It is closed when the test ends. */
export async function faultProxy(target: string, plan: Plan = () => undefined): Promise<FaultProxy> {
  const underWay = new Set<ServerResponse>()
  const late = new Set<Promise<void>>()
  const overtaken = new Set<() => void>()
  const pages = new SkippedPages()
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
    res.on('finish', () => {
      for (const goOn of overtaken) goOn()
    })
    res.on('close', () => underWay.delete(res))
    req.on('data', (bytes: Buffer) => {
      seen.sent += bytes.byteLength
    })
    // A connection that is cut on purpose emits an error.
    for (const one of [req, res]) one.on('error', () => {})
    req.url = pages.meant(seen.path)
    const forwarded = forward(new URL(proxy.target), req, res, fault, overtaken, pages).catch(() => {
      res.destroy()
    })
    if (fault?.kind !== 'late') return
    late.add(forwarded)
    void forwarded.finally(() => late.delete(forwarded))
  })
  let connections = 0
  let closed = 0
  server.on('connection', (socket) => {
    connections++
    socket.on('close', () => closed++)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  onTestFinished(close)
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
    get closed() {
      return closed
    },
    settled: async () => {
      await Promise.all(late)
    },
    close,
  }
  return proxy
}
