import type { IvcapError } from '@ivcap/core/driver'
import type { TransportResponse } from '../transport/types.js'
import type { IdleTimeout } from './idle-timeout.js'

/** Maximum bytes of a text body. */
const MAX_TEXT = 128 << 20

export interface ResponseOptions {
  /** The address after redirects. */
  readonly url: URL
  readonly timeout: IdleTimeout
  /** Milliseconds without a byte after which the body fails. */
  readonly idleTimeout: number
  /** The error for a body that fails with `cause`. Without a cause, the body was idle for too long. */
  broken(cause?: unknown): IvcapError
  /** The error for a text of more than `limit` bytes. */
  tooLong(limit: number): IvcapError
}

/** Milliseconds that a body may take to stop. It is no longer awaited afterwards. */
const TIME_TO_CANCEL = 1000

/** A response with timeouts on its body. The body must be read to its end, or cancelled. */
export class HttpResponse {
  readonly status: number
  readonly headers: Headers
  readonly url: URL
  readonly #context: ResponseOptions
  readonly #raw: TransportResponse

  constructor(raw: TransportResponse, context: ResponseOptions) {
    this.status = raw.status
    this.headers = raw.headers
    this.url = context.url
    this.#context = context
    this.#raw = raw
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** Returns the next bytes of the body; undefined at its end. @throws IvcapError `unavailable`, retryable, if it breaks */
  async next(): Promise<Uint8Array | undefined> {
    const { timeout, idleTimeout, broken } = this.#context
    try {
      if (timeout.signal.aborted) throw timeout.signal.reason
      const bytes = await timeout.run(this.#raw.next(), idleTimeout, () => broken())
      if (bytes === undefined) timeout.end()
      return bytes
    } catch (error) {
      timeout.end()
      throw timeout.signal.aborted ? timeout.signal.reason : broken(error)
    }
  }

  /** Returns the body as text. @throws IvcapError `protocol` if it has more than 128 MiB */
  async text(): Promise<string>
  /** As above. If `accepted` returns false for the first bytes, cancels the body and returns undefined. */
  async text(accepted: (first: Uint8Array) => boolean): Promise<string | undefined>
  async text(accepted: (first: Uint8Array) => boolean = () => true): Promise<string | undefined> {
    const { text, end } = await this.#read(MAX_TEXT, accepted)
    if (end === 'limit') throw this.#context.tooLong(MAX_TEXT)
    return end === 'rejected' ? undefined : text
  }

  /** Returns the first `limit` bytes of the body as text. Cancels the rest. */
  async excerpt(limit: number): Promise<string> {
    return (await this.#read(limit, () => true)).text
  }

  async #read(
    limit: number,
    accepted: (first: Uint8Array) => boolean,
  ): Promise<{ readonly text: string; readonly end: 'body' | 'limit' | 'rejected' }> {
    const decoder = new TextDecoder()
    let text = ''
    let count = 0
    for (;;) {
      const chunk = await this.next()
      if (chunk === undefined) return { text: text + decoder.decode(), end: 'body' }
      const end = count === 0 && !accepted(chunk) ? 'rejected' : 'limit'
      text += decoder.decode(chunk.subarray(0, limit - count), { stream: true })
      count += chunk.byteLength
      if (end === 'limit' && count <= limit) continue
      await this.cancel()
      return { text: text + decoder.decode(), end }
    }
  }

  async cancel(): Promise<void> {
    this.#context.timeout.end()
    let timer: ReturnType<typeof setTimeout> | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIME_TO_CANCEL)
    })
    try {
      await Promise.race([this.#raw.cancel(), enough])
    } finally {
      clearTimeout(timer)
    }
  }
}
