import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { type OpOptions, readingMuch } from '@ivcap/core/driver'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
}

export interface Transport {
  /** Rejects when there is no answer, once the connection is given up. An abort ends the reading of the body, too. */
  exchange(request: HttpRequest, o: OpOptions): Promise<IncomingMessage>
  close(): void
}

const CONNECT_MS = 10_000
/** Silence on a connection after which it counts as broken. */
const IDLE_MS = 60_000
const SOCKETS = 50

/** Connections of its own, which are kept between requests. */
export function transport(): Transport {
  const plain = readingMuch(new http.Agent({ keepAlive: true, maxSockets: SOCKETS }))
  const secure = readingMuch(new https.Agent({ keepAlive: true, maxSockets: SOCKETS }))
  return {
    exchange: (request, o) => {
      const options = { method: request.method, headers: headersOf(request) }
      const sent =
        request.url.protocol === 'https:'
          ? https.request(request.url, { ...options, agent: secure })
          : http.request(request.url, { ...options, agent: plain })
      return answerTo(sent, request.body ?? [], o)
    },
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function headersOf({ method, headers, body = [] }: HttpRequest): Record<string, string> {
  const length = body.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return { ...headers, ...(method !== 'GET' && method !== 'DELETE' && { 'content-length': `${length}` }) }
}

function answerTo(
  request: http.ClientRequest,
  body: readonly Uint8Array[],
  { signal }: OpOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let failure: unknown
    const onAbort = () => void request.destroy()
    signal?.addEventListener('abort', onAbort)
    const connecting = setTimeout(() => request.destroy(timedOut('connect')), CONNECT_MS)
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => clearTimeout(connecting))
      else clearTimeout(connecting)
    })
    request.setTimeout(IDLE_MS, () => request.destroy(timedOut('answer')))
    request.on('error', (error) => {
      failure = error
    })
    request.on('close', () => {
      clearTimeout(connecting)
      signal?.removeEventListener('abort', onAbort)
      reject(failure ?? new Error('the connection was closed'))
    })
    request.on('response', (answer) => {
      // one that breaks is heard of by who reads it, then or later
      answer.on('error', () => {})
      resolve(answer)
    })
    for (const part of body) request.write(part)
    request.end()
    if (signal?.aborted) onAbort()
  })
}

const timedOut = (what: string): Error =>
  Object.assign(new Error(`no ${what} in time`), { code: 'ETIMEDOUT' })
