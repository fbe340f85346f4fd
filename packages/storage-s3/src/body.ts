import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { IvcapError, type OpOptions, retry } from '@ivcap/core/driver'
import { RETRIES, RETRY_DELAY } from './ask.js'
import { explain } from './errors.js'
import { type Opened, open } from './open.js'
import { Part } from './part.js'
import type { Place } from './place.js'

/**
 * The bytes of a range, in order, from as many requests at once as the place allows, each for a part of it and all for the
 * version of the first. A connection that breaks is taken up where it broke. Nothing is taken from the network before somebody
 * reads; at the end, after an error, a cancel or an abort no connection is held.
 */
export function bodyOf(
  place: Place,
  opened: Opened,
  range: { readonly start: number; readonly end: number },
  { signal }: OpOptions,
): ReadableStream<Uint8Array> {
  const window = new Window(place, opened, range)
  let onAbort = () => {}
  const stop = async (reason: unknown) => {
    signal?.removeEventListener('abort', onAbort)
    await window.stop(reason)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => void stop(signal?.reason).then(() => controller.error(signal?.reason))
        signal?.addEventListener('abort', onAbort)
      },
      async pull(controller) {
        try {
          const bytes = await window.next()
          signal?.throwIfAborted()
          controller.enqueue(bytes)
          if (!window.done) return
          await stop(undefined)
          controller.close()
        } catch (error) {
          await stop(error)
          throw signal?.aborted ? signal.reason : error
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  )
}

/** The parts that are on their way, or wait in memory. */
class Window {
  readonly #place: Place
  readonly #opened: Opened
  readonly #end: number
  readonly #parts: Part[] = []
  readonly #stopping = new AbortController()
  readonly #receiving = new Set<Promise<void>>()
  #next: number

  constructor(place: Place, opened: Opened, range: { readonly start: number; readonly end: number }) {
    this.#place = place
    this.#opened = opened
    this.#next = range.start
    this.#end = range.end
  }

  get done(): boolean {
    return this.#next === this.#end && this.#parts.length === 0
  }

  async next(): Promise<Uint8Array> {
    this.#fill()
    const [part] = this.#parts
    if (part === undefined) return new Uint8Array()
    const bytes = await part.take()
    if (part.done) this.#parts.shift()
    return bytes
  }

  async stop(reason: unknown): Promise<void> {
    this.#stopping.abort(reason)
    await Promise.all([...this.#receiving, closed(this.#opened.body)])
  }

  #fill(): void {
    const { partSize, concurrency } = this.#place
    while (this.#parts.length < concurrency && this.#next < this.#end) {
      const first = this.#next === this.#opened.start
      const end = first ? this.#opened.end : Math.min(this.#next + partSize, this.#end)
      const part = new Part(this.#next, end)
      this.#parts.push(part)
      this.#next = end
      const receiving = this.#receive(part, first ? this.#opened.body : undefined)
        .catch((error: unknown) => part.fail(error))
        .finally(() => this.#receiving.delete(receiving))
      this.#receiving.add(receiving)
    }
  }

  /** Fills a part, from its first connection and, if that breaks, from others. */
  async #receive(part: Part, first: Readable | undefined): Promise<void> {
    const { signal } = this.#stopping
    const { key, etag } = this.#opened.info
    let body = first
    const attempt = async () => {
      const { position: start, end } = part
      body ??= (await open(this.#place, key, { start, end, etag }, { signal })).body
      try {
        await pour(body, part, signal)
      } catch (error) {
        throw explain(error, { doing: 'read', key }, this.#place)
      } finally {
        body = undefined
      }
      if (part.position < end) {
        throw new IvcapError(
          'unavailable',
          `the server sent ${part.position - start} bytes of ${key}, not ${end - start}`,
        )
      }
    }
    await retry(attempt, { retries: RETRIES, retryDelay: RETRY_DELAY, signal })
  }
}

/** All of a body into a part. Its connection is free, or closed, afterwards. */
async function pour(body: Readable, part: Part, signal: AbortSignal): Promise<void> {
  const onAbort = () => void body.destroy()
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  body.on('data', (bytes: Uint8Array) => {
    try {
      part.add(bytes)
    } catch (error) {
      body.destroy(error instanceof Error ? error : undefined)
    }
  })
  try {
    await finished(body)
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', onAbort)
    await closed(body)
  }
}

async function closed(body: Readable): Promise<void> {
  if (body.closed) return
  body.destroy()
  if (!body.closed) await once(body, 'close')
}
