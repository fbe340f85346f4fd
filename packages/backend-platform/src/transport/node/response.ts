import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createUnzip } from 'node:zlib'
import { startTimer, stopTimer } from '@ivcap/core/internal'
import { contentCodings, type TransportResponse } from '../types.js'

/** Maximum bytes that are read ahead of the caller. */
const MAX_AHEAD = 1 << 20
/** Bytes. A cancelled body up to this size is read to its end, because cutting it off would close the connection. */
const MAX_DRAINED = 64 << 10
/** Milliseconds that reading it to its end may take. */
const MAX_DRAIN_MS = 1000

/**
 * Converts a response of node:http.
 *
 * @param isSent returns true if the whole request was sent, so that another one may use its connection
 */
export function transportResponse(
  response: IncomingMessage,
  method: string,
  isSent: () => boolean,
): TransportResponse {
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
      if (length <= MAX_DRAINED && isSent() && !response.destroyed) {
        const late = startTimer(() => response.destroy(), MAX_DRAIN_MS)
        response.once('close', () => stopTimer(late))
        body.drain()
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

/** Requests accept no encoding, but some proxies encode anyway. The coding that was applied last is removed first. */
function decoded(response: IncomingMessage, headers: Headers): Readable {
  const decoders = contentCodings(headers)
    .map(decoderOf)
    .filter((decoder) => decoder !== undefined)
    .reverse()
  // the reader of the result gets the error
  return decoders.reduce<Readable>((body, decoder) => pipeline(body, decoder, () => {}), response)
}

function decoderOf(coding: string): Transform | undefined {
  if (coding === 'gzip' || coding === 'x-gzip' || coding === 'deflate') return createUnzip()
  return coding === 'br' ? createBrotliDecompress() : undefined
}

/** A body that is fetched while it is read, at most `MAX_AHEAD` bytes ahead. */
class Body {
  readonly #stream: Readable
  readonly #pieces: Uint8Array[] = []
  #size = 0
  #ended = false
  #failed: { readonly error: unknown } | undefined
  #wake = () => {}
  #isFlowing = false

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('error', (error) => this.#fail(error))
    stream.on('end', () => {
      this.#ended = true
      this.#wake()
    })
    stream.on('close', () =>
      this.#fail(new Error('the connection was closed before the end of the response')),
    )
  }

  async next(): Promise<Uint8Array | undefined> {
    if (!this.#isFlowing) this.#start()
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#size -= piece.byteLength
        if (this.#size < MAX_AHEAD / 2) this.#stream.resume()
        return piece
      }
      if (this.#ended) return undefined
      if (this.#failed !== undefined) throw this.#failed.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Reads the rest and discards it. */
  drain(): void {
    this.#stream.removeAllListeners('data')
    this.#stream.resume()
  }

  async destroy(): Promise<void> {
    if (this.#stream.closed) return
    const closed = new Promise((resolve) => this.#stream.once('close', resolve))
    this.#stream.destroy()
    await closed
  }

  #start(): void {
    this.#isFlowing = true
    this.#stream.on('data', (piece: Uint8Array) => {
      this.#pieces.push(piece)
      this.#size += piece.byteLength
      if (this.#size >= MAX_AHEAD) this.#stream.pause()
      this.#wake()
    })
  }

  #fail(error: unknown): void {
    this.#failed ??= { error }
    this.#wake()
  }
}
