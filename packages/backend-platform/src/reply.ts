import type { IvcapError } from '@ivcap/core/driver'
import type { Answer } from './transport/types.js'
import type { Watch } from './watch.js'

/** Bytes that a reply may have as text. */
const MAX_TEXT = 128 << 20

export interface ReplyContext {
  /** Where it came from, after redirects. */
  readonly url: URL
  readonly watch: Watch
  /** Milliseconds without a byte after which the body is given up. */
  readonly idleTimeout: number
  /** The error for a body that fails with `cause`, or stands still (no cause). */
  broken(cause?: unknown): IvcapError
  /** The error for a text of more than `limit` bytes. */
  tooLong(limit: number): IvcapError
}

/** Milliseconds that a body may take to stop; what does not react is left behind. */
const TIME_TO_CANCEL = 1000

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

  /** The body as text. @throws IvcapError `protocol` if it is longer than any answer should be */
  async text(): Promise<string>
  /** As above; undefined, and cancelled, if its first bytes are not `wanted`. */
  async text(wanted: (first: Uint8Array) => boolean): Promise<string | undefined>
  async text(wanted: (first: Uint8Array) => boolean = () => true): Promise<string | undefined> {
    const { text, end } = await this.#read(MAX_TEXT, wanted)
    if (end === 'limit') throw this.#context.tooLong(MAX_TEXT)
    return end === 'unwanted' ? undefined : text
  }

  /** The first `limit` bytes of the body as text; the rest is cancelled. */
  async excerpt(limit: number): Promise<string> {
    return (await this.#read(limit, () => true)).text
  }

  async #read(
    limit: number,
    wanted: (first: Uint8Array) => boolean,
  ): Promise<{ readonly text: string; readonly end: 'body' | 'limit' | 'unwanted' }> {
    const decoder = new TextDecoder()
    let text = ''
    let count = 0
    for (;;) {
      const chunk = await this.next()
      if (chunk === undefined) return { text: text + decoder.decode(), end: 'body' }
      const end = count === 0 && !wanted(chunk) ? 'unwanted' : 'limit'
      text += decoder.decode(chunk.subarray(0, limit - count), { stream: true })
      count += chunk.byteLength
      if (end === 'limit' && count <= limit) continue
      await this.cancel()
      return { text: text + decoder.decode(), end }
    }
  }

  async cancel(): Promise<void> {
    this.#context.watch.end()
    let timer: ReturnType<typeof setTimeout> | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIME_TO_CANCEL)
    })
    try {
      await Promise.race([this.#answer.cancel(), enough])
    } finally {
      clearTimeout(timer)
    }
  }
}
