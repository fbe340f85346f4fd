import { Buffer } from 'node:buffer'
import { validateHeaderValue } from 'node:http'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { startTimer, stopTimer, type Timer } from '../../model/timers.js'
import type { LargeAnswer, LargeRequest } from '../types.js'
import { allocate } from './allocate.js'
import { LONGEST_HEAD, type PlainHead, plainHead } from './response-head.js'

/**
 * Bytes that are handed out at once, if they come fast enough: few enough to stay in the processor's cache until they are hashed
 * and written.
 */
const CHUNK = 256 << 10
/** Chunks that wait to be asked for. */
const AHEAD = 2
/** Milliseconds after which less than a whole chunk is handed out. */
const SOON = 20
const END_OF_HEAD = '\r\n\r\n'

/** See `Runtime.largeGet`. */
export async function largeGet(request: LargeRequest): Promise<LargeAnswer | undefined> {
  const exchange = new Exchange(request)
  const head = await exchange.head()
  if (head === undefined) {
    await exchange.cancel()
    return undefined
  }
  const { status, headers } = head
  return { status, headers, next: () => exchange.next(), cancel: () => exchange.cancel() }
}

/** One request and its answer, on a connection of their own. */
class Exchange {
  readonly #socket: net.Socket
  /** Where the socket puts what comes: first the head, then chunk after chunk of the body. */
  #memory = allocate(LONGEST_HEAD)
  #filled = 0
  #head: { readonly plain: PlainHead | undefined } | undefined
  /** Bytes of the body that have not come yet. */
  #left = 0
  readonly #chunks: Uint8Array[] = []
  readonly #take: (size: number) => Uint8Array<ArrayBuffer>
  #failed: { readonly error: unknown } | undefined
  readonly #idle: number
  /** Nothing is read from the socket for now. */
  #isHeld = false
  #isAwaited = false
  #wake = () => {}

  constructor(request: LargeRequest) {
    const text = textOf(request)
    const { signal, idle = 0, memory } = request
    this.#take = memory === undefined ? allocate : (size) => memory.take(size)
    this.#idle = idle
    signal.throwIfAborted()
    this.#socket = connectFor(request, {
      buffer: () => this.#memory.subarray(this.#filled),
      callback: (count) => this.#received(count),
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('timeout', () => this.#silent())
    const onAbort = () => this.#socket.destroy(errorOf(signal))
    signal.addEventListener('abort', onAbort)
    this.#socket.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      this.#fail(broken('ECONNRESET', 'the connection was closed before the end of the answer'))
    })
    this.#socket.setTimeout(idle)
    this.#socket.write(text)
  }

  /** Undefined: another answer than a plain one. Nothing is read behind it until `next` is called. */
  async head(): Promise<PlainHead | undefined> {
    for (;;) {
      if (this.#head !== undefined) return this.#head.plain
      if (this.#failed !== undefined) throw this.#failed.error
      await this.#news()
    }
  }

  /** The next bytes of the body, in memory of their own; undefined at its end. */
  async next(): Promise<Uint8Array | undefined> {
    let isLate = false
    let timer: Timer | undefined
    const late = () => {
      isLate = true
      this.#wake()
    }
    try {
      for (;;) {
        const failed = this.#failed
        const chunk =
          this.#chunks.shift() ?? (isLate || failed !== undefined ? this.#begunChunk() : undefined)
        if (chunk === undefined && this.#left === 0) return undefined
        if (chunk === undefined && failed !== undefined) throw failed.error
        this.#resume()
        if (chunk !== undefined) return chunk
        if (this.#filled > 0) timer ??= startTimer(late, SOON)
        await this.#news()
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

  /** @returns whether more may come at once */
  #received(count: number): boolean {
    this.#filled += count
    if (this.#head === undefined) this.#readHead()
    else this.#land(count)
    this.#wake()
    this.#isHeld = this.#left > 0 ? this.#chunks.length >= AHEAD : this.#head !== undefined
    return !this.#isHeld
  }

  #readHead(): void {
    const received = Buffer.from(this.#memory.buffer, 0, this.#filled)
    const end = received.indexOf(END_OF_HEAD)
    if (end < 0 && this.#filled < this.#memory.byteLength) return
    const plain = end < 0 ? undefined : plainHead(received.toString('latin1', 0, end))
    this.#head = { plain }
    this.#left = plain?.length ?? 0
    // what comes behind the body is nobody's
    const body = received.subarray(end + END_OF_HEAD.length).subarray(0, this.#left)
    this.#startChunk()
    this.#memory.set(body)
    this.#filled = body.byteLength
    this.#land(body.byteLength)
  }

  #land(count: number): void {
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

  /** What is there of a chunk that comes slowly. A copy: the rest of its memory is still to be filled. */
  #begunChunk(): Uint8Array | undefined {
    if (this.#filled === 0) return undefined
    const bytes = this.#memory.slice(0, this.#filled)
    this.#memory = this.#memory.subarray(this.#filled)
    this.#filled = 0
    return bytes
  }

  /** Silence counts from now. */
  #resume(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#socket.setTimeout(this.#idle)
    this.#socket.resume()
  }

  async #news(): Promise<void> {
    this.#isAwaited = true
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#isAwaited = false
  }

  #silent(): void {
    if (this.#isAwaited) this.#socket.destroy(broken('ETIMEDOUT', 'the server has fallen silent'))
    // nobody has let it speak
    else this.#socket.setTimeout(this.#idle)
  }

  #fail(error: unknown): void {
    this.#failed ??= { error }
    this.#wake()
  }
}

/** What the caller said, if that is an error. */
function errorOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('it was aborted', { cause: reason })
}

const broken = (code: string, message: string): Error => Object.assign(new Error(message), { code })

function connectFor({ url }: LargeRequest, onread: net.OnReadOpts): net.Socket {
  // of an IPv6 address without its brackets
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const options = { host, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)), onread }
  if (url.protocol !== 'https:') return net.connect(options)
  return tls.connect({
    ...options,
    ALPNProtocols: ['http/1.1'],
    ...(net.isIP(host) === 0 && { servername: host }),
  })
}

function textOf({ url, headers }: LargeRequest): string {
  const all = Object.entries({ Host: url.host, ...headers, Connection: 'close' })
  for (const [name, value] of all) validateHeaderValue(name, value)
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    ...all.map(([name, value]) => `${name}: ${value}`),
  ]
  return `${lines.join('\r\n')}${END_OF_HEAD}`
}
