/**
 * GET requests for large bodies, on a socket of their own. The socket reads into the memory that the caller gets (`onread`, a
 * documented option of net.connect and tls.connect), so that no byte is copied. node:http takes 1.3 to 1.6 times the processor
 * time, and undici 1.5 to 3.3 times: see docs/decisions/22-large-reads.md.
 *
 * Only plain responses are read here: 200 or 206 with one `Content-Length`, neither encoded nor chunked. For any other response
 * the functions return undefined, and the caller sends the request again by node:http.
 */
import { Buffer } from 'node:buffer'
import { validateHeaderValue } from 'node:http'
import * as net from 'node:net'
import { Readable } from 'node:stream'
import * as tls from 'node:tls'
import { startTimer, stopTimer, type Timer } from '../../model/timers.js'
import type { RawBody, RawRequest, RawResponse } from '../types.js'
import { allocate } from './allocate.js'

/** Bytes of a chunk: few enough to stay in the processor's cache until they are hashed and written. */
const CHUNK = 256 << 10
/** Chunks that may wait to be read by the caller. */
const MAX_WAITING = 2
/** Milliseconds after which a chunk is delivered even if it is not full. */
const MAX_CHUNK_DELAY = 20
/** Bytes. The limit of node:http. */
const MAX_HEAD = 16 << 10
const END_OF_HEAD = '\r\n\r\n'

/** See `Runtime.rawGet`. */
export async function rawGet(request: RawRequest): Promise<RawResponse | undefined> {
  const exchange = new Exchange(request)
  const head = await exchange.head()
  if (head === undefined) {
    await exchange.cancel()
    return undefined
  }
  const { status, headers } = head
  return { status, headers, next: () => exchange.next(), cancel: () => exchange.cancel() }
}

/** See `Runtime.rawBody`. */
export async function rawBody(request: RawRequest): Promise<RawBody | undefined> {
  const response = await rawGet(request)
  return response && new Body(response)
}

class Body extends Readable implements RawBody {
  readonly statusCode: 200 | 206
  readonly headers: Readonly<Record<string, string>>
  readonly #response: RawResponse

  constructor(response: RawResponse) {
    // the response reads ahead itself
    super({ highWaterMark: 1 })
    this.#response = response
    this.statusCode = response.status
    this.headers = Object.fromEntries(response.headers)
    // the reader gets the error, but may start later; without a listener an error event would end the process
    this.on('error', () => {})
  }

  override _read(): void {
    this.#response.next().then(
      (bytes) => this.push(bytes ?? null),
      (error: Error) => this.destroy(error),
    )
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    void this.#response.cancel().then(() => done(error))
  }
}

/** One request and its response, on one connection. */
class Exchange {
  readonly #socket: net.Socket
  /** The memory that the socket fills: first the head, then one chunk of the body after the other. */
  #memory = allocate(MAX_HEAD)
  #filled = 0
  #head: { readonly plain: PlainHead | undefined } | undefined
  /** Bytes of the body that have not arrived yet. */
  #left = 0
  readonly #chunks: Uint8Array[] = []
  readonly #take: (size: number) => Uint8Array<ArrayBuffer>
  #failed: { readonly error: unknown } | undefined
  readonly #idle: number
  #isPaused = false
  #isAwaited = false
  #wake = () => {}

  constructor(request: RawRequest) {
    const text = requestText(request)
    const { signal, idle = 0, memory } = request
    this.#take = memory === undefined ? allocate : (size) => memory.take(size)
    this.#idle = idle
    signal.throwIfAborted()
    this.#socket = connect(request, {
      buffer: () => this.#memory.subarray(this.#filled),
      callback: (count) => this.#received(count),
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('timeout', () => this.#onIdle())
    const onAbort = () => this.#socket.destroy(abortError(signal))
    signal.addEventListener('abort', onAbort)
    this.#socket.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      this.#fail(systemError('ECONNRESET', 'the connection was closed before the end of the response'))
    })
    this.#socket.setTimeout(idle)
    this.#socket.write(text)
  }

  /** Returns undefined if the response is not a plain one. */
  async head(): Promise<PlainHead | undefined> {
    for (;;) {
      if (this.#head !== undefined) return this.#head.plain
      if (this.#failed !== undefined) throw this.#failed.error
      await this.#change()
    }
  }

  /** The next bytes of the body; undefined at its end. */
  async next(): Promise<Uint8Array | undefined> {
    let isLate = false
    let timer: Timer | undefined
    const onLate = () => {
      isLate = true
      this.#wake()
    }
    try {
      for (;;) {
        const failed = this.#failed
        const chunk =
          this.#chunks.shift() ?? (isLate || failed !== undefined ? this.#partialChunk() : undefined)
        if (chunk === undefined && this.#left === 0) return undefined
        if (chunk === undefined && failed !== undefined) throw failed.error
        this.#resume()
        if (chunk !== undefined) return chunk
        if (this.#filled > 0) timer ??= startTimer(onLate, MAX_CHUNK_DELAY)
        await this.#change()
      }
    } finally {
      stopTimer(timer)
    }
  }

  async cancel(): Promise<void> {
    if (this.#socket.closed) return
    const closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#socket.destroy()
    await closed
  }

  /** @returns whether the socket may continue to read */
  #received(count: number): boolean {
    this.#filled += count
    if (this.#head === undefined) this.#readHead()
    else this.#receivedBody(count)
    this.#wake()
    this.#isPaused = this.#left > 0 ? this.#chunks.length >= MAX_WAITING : this.#head !== undefined
    return !this.#isPaused
  }

  #readHead(): void {
    const received = Buffer.from(this.#memory.buffer, 0, this.#filled)
    const end = received.indexOf(END_OF_HEAD)
    if (end < 0 && this.#filled < this.#memory.byteLength) return
    const plain = end < 0 ? undefined : parsePlainHead(received.toString('latin1', 0, end))
    this.#head = { plain }
    this.#left = plain?.length ?? 0
    // bytes after the body are ignored: no other request was sent on this connection
    const body = received.subarray(end + END_OF_HEAD.length).subarray(0, this.#left)
    this.#startChunk()
    this.#memory.set(body)
    this.#filled = body.byteLength
    this.#receivedBody(body.byteLength)
  }

  #receivedBody(count: number): void {
    this.#left -= count
    if (this.#left === 0) this.#socket.destroy()
    if (this.#left > 0 && this.#filled < this.#memory.byteLength) return
    if (this.#filled > 0) this.#chunks.push(this.#memory.subarray(0, this.#filled))
    this.#startChunk()
  }

  #startChunk(): void {
    this.#memory = this.#take(Math.min(CHUNK, this.#left))
    this.#filled = 0
  }

  /** Copies the bytes that a slow chunk holds so far. The rest of its memory is filled later. */
  #partialChunk(): Uint8Array | undefined {
    if (this.#filled === 0) return undefined
    const bytes = this.#memory.slice(0, this.#filled)
    this.#memory = this.#memory.subarray(this.#filled)
    this.#filled = 0
    return bytes
  }

  /** Continues to read after a pause. Restarts the idle timeout. */
  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket.setTimeout(this.#idle)
    this.#socket.resume()
  }

  async #change(): Promise<void> {
    this.#isAwaited = true
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#isAwaited = false
  }

  #onIdle(): void {
    if (this.#isAwaited) this.#socket.destroy(systemError('ETIMEDOUT', 'the server sent nothing'))
    // the caller does not read, so the server is not at fault
    else this.#socket.setTimeout(this.#idle)
  }

  #fail(error: unknown): void {
    this.#failed ??= { error }
    this.#wake()
  }
}

function abortError({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('the request was aborted', { cause: reason })
}

const systemError = (code: string, message: string): Error => Object.assign(new Error(message), { code })

/** Applies the connection options of the agent, such as its certificate authorities. */
function connect({ url, agent }: RawRequest, onread: net.OnReadOpts): net.Socket {
  // net.connect expects an IPv6 address without brackets
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const options = { ...agent?.options, host, port, onread }
  if (url.protocol !== 'https:') return net.connect(options)
  return tls.connect({
    ...options,
    ALPNProtocols: ['http/1.1'],
    ...(net.isIP(host) === 0 && { servername: host }),
  })
}

function requestText({ url, headers }: RawRequest): string {
  const all = Object.entries({ Host: url.host, ...headers, Connection: 'close' })
  for (const [name, value] of all) validateHeaderValue(name, value)
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    ...all.map(([name, value]) => `${name}: ${value}`),
  ]
  return `${lines.join('\r\n')}${END_OF_HEAD}`
}

interface PlainHead {
  readonly status: 200 | 206
  readonly headers: Headers
  /** Bytes of the body. */
  readonly length: number
}

const STATUS = /^HTTP\/1\.[01] (200|206)(?: |$)/
/** RFC 9110: a token, and text without control characters except tabs. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
/** With any of these headers the body is not simply the next `Content-Length` bytes. */
const NOT_PLAIN = ['transfer-encoding', 'content-encoding', 'trailer', 'upgrade'] as const

/** A strict parser. Returns undefined if the response is not a plain one, or is not valid HTTP. */
function parsePlainHead(text: string): PlainHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const status = STATUS.exec(first)?.[1] === '206' ? 206 : 200
  const fields = lines.map((line) => FIELD.exec(line))
  if (!STATUS.test(first) || fields.includes(null)) return undefined
  const headers = new Headers()
  for (const field of fields) headers.append(field?.[1] ?? '', field?.[2] ?? '')
  const length = headers.get('content-length') ?? ''
  if (!/^\d{1,15}$/.test(length) || NOT_PLAIN.some((name) => headers.has(name))) return undefined
  return { status, headers, length: Number(length) }
}
