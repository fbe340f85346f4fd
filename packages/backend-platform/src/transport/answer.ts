import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createUnzip } from 'node:zlib'
import { startTimer, stopTimer } from '@ivcap/core/internal'
import { codingsOf } from './encoding.js'
import type { Answer } from './types.js'

/** Bytes that are fetched before somebody asks for them, once somebody has begun to. */
const AHEAD = 1 << 20
/** Bytes of a body that are rather read to their end than cut off, which costs the connection. */
const SMALL = 64 << 10
/** Milliseconds that they may take. */
const SOON = 1000

/** What node:http answers with. `isSent`: whether all of the request went out, so that another may follow on its connection. */
export function answerOf(response: IncomingMessage, method: string, isSent: () => boolean): Answer {
  const headers = headersOf(response)
  const body = new Body(decoded(response, headers))
  const isEmpty = method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304
  return {
    status: response.statusCode ?? 0,
    headers,
    hidden: false,
    next: () => body.next(),
    async cancel() {
      const length = isEmpty ? 0 : Number(headers.get('content-length') ?? Number.NaN)
      if (length <= SMALL && isSent() && !response.destroyed) {
        const late = startTimer(() => response.destroy(), SOON)
        response.once('close', () => stopTimer(late))
        body.drop()
        return
      }
      await body.destroy()
      response.destroy()
    },
  }
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '')
  }
  return headers
}

/** No encoding is asked for, but some proxies encode all the same. The coding applied last is undone first. */
function decoded(response: IncomingMessage, headers: Headers): Readable {
  const decoders = codingsOf(headers)
    .map(decoderOf)
    .filter((decoder) => decoder !== undefined)
    .reverse()
  // how it failed shows in what is read from it
  return decoders.reduce<Readable>((body, decoder) => pipeline(body, decoder, () => {}), response)
}

function decoderOf(coding: string): Transform | undefined {
  if (coding === 'gzip' || coding === 'x-gzip' || coding === 'deflate') return createUnzip()
  return coding === 'br' ? createBrotliDecompress() : undefined
}

/** A body that is fetched as it is read, up to `AHEAD` bytes before. */
class Body {
  readonly #stream: Readable
  readonly #pieces: Uint8Array[] = []
  #size = 0
  #ended = false
  #failed: { readonly error: unknown } | undefined
  #wake = () => {}
  #begun = false

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('error', (error) => this.#fail(error))
    stream.on('end', () => {
      this.#ended = true
      this.#wake()
    })
    stream.on('close', () => this.#fail(new Error('the connection was closed before the end of the answer')))
  }

  async next(): Promise<Uint8Array | undefined> {
    if (!this.#begun) this.#begin()
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#size -= piece.byteLength
        if (this.#size < AHEAD / 2) this.#stream.resume()
        return piece
      }
      if (this.#ended) return undefined
      if (this.#failed !== undefined) throw this.#failed.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Reads on without keeping anything. */
  drop(): void {
    this.#stream.removeAllListeners('data')
    this.#stream.resume()
  }

  async destroy(): Promise<void> {
    if (this.#stream.closed) return
    const closed = new Promise((resolve) => this.#stream.once('close', resolve))
    this.#stream.destroy()
    await closed
  }

  #begin(): void {
    this.#begun = true
    this.#stream.on('data', (piece: Uint8Array) => {
      this.#pieces.push(piece)
      this.#size += piece.byteLength
      if (this.#size >= AHEAD) this.#stream.pause()
      this.#wake()
    })
  }

  #fail(error: unknown): void {
    this.#failed ??= { error }
    this.#wake()
  }
}
