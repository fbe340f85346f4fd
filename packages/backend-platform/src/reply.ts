import type { IvcapError } from '@ivcap/core/driver'
import type { Answer } from './transport/types.js'
import type { Watch } from './watch.js'

/** Bytes of text that a reply may have: more is no answer to anything that we ask. */
const MAX_TEXT = 128 << 20

export interface ReplyContext {
  /** Where it came from, after redirects. */
  readonly url: URL
  readonly watch: Watch
  /** Milliseconds without a byte after which the body is given up. */
  readonly idleTimeout: number
  /** The error for a body that fails with `cause`, or stands still (no cause). */
  broken(cause?: unknown): IvcapError
}

/** An answer whose body is read under watch. It must be read to its end, or cancelled. */
export class Reply {
  readonly status: number
  readonly headers: Headers
  readonly url: URL
  readonly #context: ReplyContext
  readonly #answer: Answer

  constructor(answer: Answer, context: ReplyContext) {
    this.status = answer.status
    this.headers = answer.headers
    this.url = context.url
    this.#context = context
    this.#answer = answer
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** The next bytes of the body; undefined at its end. @throws IvcapError `unavailable`, retryable, when it breaks off */
  async next(): Promise<Uint8Array | undefined> {
    const { watch, idleTimeout, broken } = this.#context
    try {
      if (watch.signal.aborted) throw watch.signal.reason
      const bytes = await watch.over(this.#answer.next(), idleTimeout, () => broken())
      if (bytes === undefined) watch.end()
      return bytes
    } catch (error) {
      watch.end()
      throw watch.signal.aborted ? watch.signal.reason : broken(error)
    }
  }

  /** The body as text, up to `limit` bytes of it; the rest is cancelled. */
  async text(limit = MAX_TEXT): Promise<string> {
    const decoder = new TextDecoder()
    let text = ''
    let count = 0
    for (;;) {
      const chunk = await this.next()
      if (chunk === undefined) return text + decoder.decode()
      text += decoder.decode(chunk.subarray(0, limit - count), { stream: true })
      count += chunk.byteLength
      if (count < limit) continue
      await this.cancel()
      return text + decoder.decode()
    }
  }

  async cancel(): Promise<void> {
    this.#context.watch.end()
    await this.#answer.cancel()
  }
}
