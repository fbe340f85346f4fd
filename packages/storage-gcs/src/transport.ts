import http from 'node:http'
import https from 'node:https'
import { IvcapError, type OpOptions, type ReadOptions } from '@ivcap/core/driver'
import {
  type NodeBody,
  type RawBody,
  rawBody,
  startTimer,
  stopTimer,
  withLargeReads,
} from '@ivcap/core/internal'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
  /** A GET that much is expected of. */
  readonly large?: boolean
}

/** An answer whose body nobody has read yet. */
export interface Answer extends NodeBody {
  readonly statusCode?: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** An abort ends the reading of the body, too. */
export type Sending = OpOptions & Pick<ReadOptions, 'memory'>

/** Its only value, or undefined. */
export function header({ headers }: Answer, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

export interface Transport {
  /** Rejects when there is no answer, once the connection is given up. */
  exchange(request: HttpRequest, o: Sending): Promise<Answer>
  close(): void
}

const CONNECT_MS = 10_000
/** Silence on a connection after which it counts as broken. */
const IDLE_MS = 60_000
const SOCKETS = 50

/** Connections of its own, which are kept between requests. */
export function transport(): Transport {
  const plain = withLargeReads(new http.Agent({ keepAlive: true, maxSockets: SOCKETS }))
  const secure = withLargeReads(new https.Agent({ keepAlive: true, maxSockets: SOCKETS }))
  const closing = new AbortController()
  return {
    async exchange(request, o) {
      const large = request.large ? await largeAnswer(request, o, closing.signal) : undefined
      if (large !== undefined) return large
      const options = { method: request.method, headers: headersOf(request) }
      const sent =
        request.url.protocol === 'https:'
          ? https.request(request.url, { ...options, agent: secure })
          : http.request(request.url, { ...options, agent: plain })
      return await answerTo(sent, request.body ?? [], o)
    },
    close() {
      closing.abort(closed())
      plain.destroy()
      secure.destroy()
    },
  }
}

/** See docs/decisions/22-large-reads.md. */
async function largeAnswer(
  { url, headers = {} }: HttpRequest,
  { signal, memory }: Sending,
  closing: AbortSignal,
): Promise<RawBody | undefined> {
  return await rawBody?.({
    url,
    headers,
    memory,
    idle: IDLE_MS,
    signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
  })
}

function headersOf({ method, headers, body = [] }: HttpRequest): Record<string, string> {
  const length = body.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return { ...headers, ...(method !== 'GET' && method !== 'DELETE' && { 'content-length': `${length}` }) }
}

function answerTo(
  request: http.ClientRequest,
  body: readonly Uint8Array[],
  { signal }: Sending,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let failure: unknown
    const onAbort = () => void request.destroy()
    signal?.addEventListener('abort', onAbort)
    const connecting = startTimer(() => request.destroy(timedOut('connect')), CONNECT_MS)
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => stopTimer(connecting))
      else stopTimer(connecting)
    })
    request.setTimeout(IDLE_MS, () => request.destroy(timedOut('answer')))
    request.on('error', (error) => {
      failure = error
    })
    request.on('close', () => {
      stopTimer(connecting)
      signal?.removeEventListener('abort', onAbort)
      reject(failure ?? new Error('the connection was closed'))
    })
    request.on('upgrade', (_, socket) => {
      failure = new IvcapError('protocol', SWITCHED)
      socket.destroy()
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

const SWITCHED =
  'the server answered with 101 (Switching Protocols), which was not asked for: check apiEndpoint'

const timedOut = (what: string): Error =>
  Object.assign(new Error(`no ${what} in time`), { code: 'ETIMEDOUT' })

/** What a download is told that is under way then. */
const closed = (): IvcapError => new IvcapError('unavailable', 'the store was closed', { retryable: false })
