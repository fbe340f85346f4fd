import http from 'node:http'
import https from 'node:https'
import type { OpOptions } from '@ivcap/core/driver'
import { isJsonObject, type JsonObject, type NodeBody, startTimer, stopTimer } from '@ivcap/core/internal'
import {
  CONNECT_TIMEOUT,
  IDLE_TIMEOUT,
  openConnections,
  type RequestOptions,
  switchedProtocols,
} from '@ivcap/storage-common'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
  /** Hint: the response body is expected to be large. */
  readonly large?: boolean
}

/** A response whose body has not been read. */
export interface HttpResponse extends NodeBody {
  readonly statusCode?: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Returns the header if it has one value, else undefined. */
export function header({ headers }: HttpResponse, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Maximum bytes of a body that is read. A page of a thousand blobs has about 100 KB. */
const LONGEST_BODY = 16 << 20

export async function readText(response: HttpResponse, most = LONGEST_BODY): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response) {
    size += part.byteLength
    if (size > most) break
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Returns undefined for anything but a JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export interface Transport {
  /** If there is no response, rejects once the connection is closed. An abort also ends the reading of the body. */
  send(request: HttpRequest, o: RequestOptions): Promise<HttpResponse>
  close(): void
}

/** Opens separate connections, which are kept open between requests. */
export function openTransport(): Transport {
  const connections = openConnections()
  return {
    async send(request, o) {
      const { method, url, headers = {}, body = [] } = request
      const large = request.large ? await connections.getLarge(url, headers, o) : undefined
      if (large !== undefined) return large
      const options = { method, headers: { ...headers, ...lengthOf(request) } }
      const sent =
        url.protocol === 'https:'
          ? https.request(url, { ...options, agent: connections.https })
          : http.request(url, { ...options, agent: connections.http })
      return await responseTo(sent, body, o)
    },
    close: connections.close,
  }
}

function lengthOf({ method, body = [] }: HttpRequest): Record<string, string> {
  if (method === 'GET' || method === 'DELETE') return {}
  return { 'content-length': `${body.reduce((sum, { byteLength }) => sum + byteLength, 0)}` }
}

function responseTo(
  request: http.ClientRequest,
  body: readonly Uint8Array[],
  { signal }: OpOptions,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let failure: unknown
    const onAbort = () => void request.destroy()
    signal?.addEventListener('abort', onAbort)
    const connecting = startTimer(() => request.destroy(timedOut('connect')), CONNECT_TIMEOUT)
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => stopTimer(connecting))
      else stopTimer(connecting)
    })
    request.setTimeout(IDLE_TIMEOUT, () => request.destroy(timedOut('answer')))
    request.on('error', (error) => {
      failure = error
    })
    request.on('close', () => {
      stopTimer(connecting)
      signal?.removeEventListener('abort', onAbort)
      reject(failure ?? new Error('the connection was closed'))
    })
    request.on('upgrade', (_, socket) => {
      failure = switchedProtocols('apiEndpoint')
      socket.destroy()
    })
    request.on('response', (response) => {
      // the reader of the body gets its errors, even if it starts later
      response.on('error', () => {})
      resolve(response)
    })
    for (const part of body) request.write(part)
    request.end()
    if (signal?.aborted) onAbort()
  })
}

const timedOut = (what: string): Error =>
  Object.assign(new Error(`no ${what} in time`), { code: 'ETIMEDOUT' })
