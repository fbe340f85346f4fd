/**
 * `#transport` in Node: node:http. Its fetch copies each chunk of a body several times and knows no size of a stream;
 * uploads take twice as long with it.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { rawGet } from '@ivcap/core/internal'
import { answerOf } from './answer.js'
import { fetchTransport } from './fetch.js'
import {
  type Answer,
  BodyFailure,
  type Message,
  NotHttp,
  StaleConnection,
  type Streamed,
  type Transport,
  UNDER_WAY,
} from './types.js'

const ALWAYS = { 'Accept-Encoding': 'identity', Accept: '*/*' }

/** @param fetch What to send with instead of node:http */
export function openTransport(fetch: typeof globalThis.fetch | undefined): Transport {
  return fetch === undefined ? nodeTransport() : fetchTransport(fetch)
}

/** Connections are kept alive; those that nobody uses don't keep the process alive. */
function nodeTransport(): Transport {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) }
  const closing = new AbortController()
  return {
    streams: true,
    send: async (message) =>
      (message.large ? await largeAnswer(message, closing.signal) : undefined) ?? exchange(message, agents),
    close() {
      closing.abort(new Error('the client was closed'))
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

async function largeAnswer(message: Message, closing: AbortSignal): Promise<Answer | undefined> {
  const { url, headers, large } = message
  const signal = AbortSignal.any([message.signal, closing])
  const answer = await rawGet?.({ url, headers: { ...ALWAYS, ...headers }, signal, ...large })
  return answer && { ...answer, hidden: false }
}

interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
}

function exchange(message: Message, agents: Agents): ReturnType<Transport['send']> {
  return new Promise((resolve, reject) => {
    const request = requestOf(message, agents)
    let answered = false
    let readBefore = 0
    request.on('socket', (socket) => {
      readBefore = socket.bytesRead
    })
    request.on('error', (error) => {
      const { socket } = request
      const isStale = request.reusedSocket && !answered && (socket?.bytesRead ?? readBefore) === readBefore
      reject(isStale ? new StaleConnection(error) : error)
    })
    request.on('upgrade', (response, socket) => {
      answered = true
      socket.destroy()
      reject(new NotHttp(`${response.statusCode} (another protocol), which was not asked for`))
    })
    // whatever else ends it without an answer; after one it changes nothing
    request.on('close', () => reject(new Error('the connection was closed before an answer')))
    request.on('response', (response) => {
      answered = true
      resolve(answerOf(response, message.method, () => request.writableFinished))
    })
    const { body } = message
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      request.end(body)
      return
    }
    sendAll(request, body, message, () => answered).catch((error: unknown) => {
      // who has answered already wants no more of it, and decides alone what comes of the request
      if (answered) return
      reject(error)
      request.destroy()
    })
  })
}

function requestOf(message: Message, agents: Agents): http.ClientRequest {
  const { method, url, headers, body, signal, fresh = false } = message
  const options = {
    method,
    signal,
    headers: { ...ALWAYS, ...headers, ...lengthOf(method, body) },
  }
  return url.protocol === 'https:'
    ? https.request(url, { ...options, agent: !fresh && agents.https })
    : http.request(url, { ...options, agent: !fresh && agents.http })
}

function lengthOf(method: string, body: Message['body']): http.OutgoingHttpHeaders {
  if (body === undefined) return method === 'GET' || method === 'HEAD' ? {} : { 'Content-Length': 0 }
  if (typeof body === 'string') return { 'Content-Length': Buffer.byteLength(body) }
  return { 'Content-Length': body instanceof Uint8Array ? body.byteLength : body.size }
}

/** Reads a piece while those before it are on their way. @throws BodyFailure */
async function sendAll(
  request: http.ClientRequest,
  body: Streamed,
  { onSent }: Message,
  answered: () => boolean,
): Promise<void> {
  const sending: Promise<void>[] = []
  for await (const piece of readable(body)) {
    sending.push(write(request, piece).then(onSent))
    if (sending.length >= UNDER_WAY) await sending.shift()
    if (answered() || request.destroyed) return
  }
  request.end()
}

async function* readable(body: Streamed): AsyncGenerator<Uint8Array> {
  try {
    yield* body.open()
  } catch (error) {
    throw new BodyFailure(error)
  }
}

/** Resolves also when it can't be sent any more: the request itself says why. */
function write(request: http.ClientRequest, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => request.write(piece, () => resolve()))
}
