/**
 * `#transport` in Node: node:http. Node's fetch copies each chunk of a body several times and can't send a stream of a known
 * length, so uploads take twice as long with it.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { rawGet } from '@ivcap/core/internal'
import { fetchTransport } from '../fetch.js'
import {
  BodyReadError,
  HttpProtocolError,
  MAX_IN_FLIGHT,
  ProxyError,
  StaleConnectionError,
  type StreamedBody,
  type Transport,
  type TransportOptions,
  type TransportRequest,
  type TransportResponse,
} from '../types.js'
import {
  environmentProxy,
  proxyAddress,
  proxyHeaders,
  type TunnelRequestOptions,
  tunnelAgent,
} from './proxy.js'
import { transportResponse } from './response.js'

const DEFAULT_HEADERS = { 'Accept-Encoding': 'identity', Accept: '*/*' }
const KEPT = { keepAlive: true }

export function openTransport({ fetch, proxy }: TransportOptions): Transport {
  return fetch === undefined
    ? nodeTransport(proxy ? environmentProxy : () => undefined)
    : fetchTransport(fetch)
}

/** Connections are kept open between requests; idle ones don't keep the process alive. */
function nodeTransport(proxyFor: (url: URL) => URL | undefined): Transport {
  const agents = new Agents()
  const closing = new AbortController()
  return {
    streams: true,
    async send(request) {
      const proxy = proxyFor(request.url)
      const large = request.large && proxy === undefined
      return (large ? await sendRaw(request, closing.signal) : undefined) ?? send(request, proxy, agents)
    },
    close() {
      closing.abort(new Error('the client was closed'))
      agents.destroy()
    },
  }
}

async function sendRaw(
  request: TransportRequest,
  closing: AbortSignal,
): Promise<TransportResponse | undefined> {
  const { url, headers, large } = request
  const signal = AbortSignal.any([request.signal, closing])
  const response = await rawGet?.({ url, headers: { ...DEFAULT_HEADERS, ...headers }, signal, ...large })
  return response && { ...response, hidden: false }
}

/** The connections that are kept open, by protocol and proxy. */
class Agents {
  readonly http = new http.Agent(KEPT)
  readonly https = new https.Agent(KEPT)
  readonly #tunnels = new Map<string, https.Agent>()

  tunnel(proxy: URL): https.Agent {
    const agent = this.#tunnels.get(proxy.href) ?? tunnelAgent(proxy, KEPT)
    this.#tunnels.set(proxy.href, agent)
    return agent
  }

  destroy(): void {
    for (const agent of [this.http, this.https, ...this.#tunnels.values()]) agent.destroy()
  }
}

function send(message: TransportRequest, proxy: URL | undefined, agents: Agents): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const request = clientRequest(message, proxy, agents)
    let isAnswered = false
    let isConnected = false
    let readBefore = 0
    request.on('socket', (socket) => {
      readBefore = socket.bytesRead
      isConnected = !socket.connecting
      // a kept socket is already connected, and would collect listeners
      if (isConnected) return
      socket.once('connect', () => {
        isConnected = true
      })
    })
    request.on('error', (error) => {
      const { socket } = request
      const isStale = request.reusedSocket && !isAnswered && (socket?.bytesRead ?? readBefore) === readBefore
      if (isStale) reject(new StaleConnectionError(error))
      else if (proxy === undefined || isConnected || error instanceof ProxyError) reject(error)
      else reject(new ProxyError(proxy.host, { cause: error }))
    })
    request.on('upgrade', (response, socket) => {
      isAnswered = true
      socket.destroy()
      reject(new HttpProtocolError(`${response.statusCode} (another protocol), which was not asked for`))
    })
    // any other end without a response; after a response this has no effect
    request.on('close', () => reject(new Error('the connection was closed before a response')))
    request.on('response', (response) => {
      isAnswered = true
      resolve(transportResponse(response, message.method, () => request.writableFinished))
    })
    const { body } = message
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      request.end(body)
      return
    }
    sendBody(request, body, message, () => isAnswered).catch((error: unknown) => {
      // the server does not need the rest of the body: only its response counts
      if (isAnswered) return
      reject(error)
      request.destroy()
    })
  })
}

function clientRequest(
  { method, url, headers, body, signal, fresh = false }: TransportRequest,
  proxy: URL | undefined,
  agents: Agents,
): http.ClientRequest {
  const options = {
    method,
    signal,
    headers: { ...DEFAULT_HEADERS, ...headers, ...lengthHeader(method, body) },
  }
  if (proxy === undefined) {
    return url.protocol === 'https:'
      ? https.request(url, { ...options, agent: !fresh && agents.https })
      : http.request(url, { ...options, agent: !fresh && agents.http })
  }
  if (url.protocol === 'https:') {
    const agent = fresh ? tunnelAgent(proxy, {}) : agents.tunnel(proxy)
    const tunnelled: TunnelRequestOptions = { ...options, agent, connectSignal: signal }
    return https.request(url, tunnelled)
  }
  const forwarded = {
    ...options,
    ...proxyAddress(proxy),
    path: `${url.origin}${url.pathname}${url.search}`,
    headers: { ...options.headers, Host: url.host, ...proxyHeaders(proxy) },
  }
  return proxy.protocol === 'https:'
    ? https.request({ ...forwarded, agent: !fresh && agents.https })
    : http.request({ ...forwarded, agent: !fresh && agents.http })
}

function lengthHeader(method: string, body: TransportRequest['body']): http.OutgoingHttpHeaders {
  if (body === undefined) return method === 'GET' || method === 'HEAD' ? {} : { 'Content-Length': 0 }
  if (typeof body === 'string') return { 'Content-Length': Buffer.byteLength(body) }
  return { 'Content-Length': body instanceof Uint8Array ? body.byteLength : body.size }
}

/** Reads a piece while the previous pieces are sent. @throws BodyReadError */
async function sendBody(
  request: http.ClientRequest,
  body: StreamedBody,
  { onSent }: TransportRequest,
  isAnswered: () => boolean,
): Promise<void> {
  const sending: Promise<void>[] = []
  for await (const piece of readable(body)) {
    sending.push(write(request, piece).then(onSent))
    if (sending.length >= MAX_IN_FLIGHT) await sending.shift()
    if (isAnswered() || request.destroyed) return
  }
  request.end()
}

async function* readable(body: StreamedBody): AsyncGenerator<Uint8Array> {
  try {
    yield* body.open()
  } catch (error) {
    throw new BodyReadError(error)
  }
}

/** Also resolves if the piece can't be sent: the request itself then fails with the reason. */
function write(request: http.ClientRequest, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => request.write(piece, () => resolve()))
}
