import { IvcapError } from '@ivcap/core/driver'
import type { Handler } from './exchange.js'

/** Maximum number of running and of waiting listings. */
const MAX_RUNNING = 16
const MAX_WAITING = 256
/** Milliseconds after which a rejected client may retry. */
const RETRY_AFTER = 2000

/** Bounds the number of concurrent listings, because each may read all records. The others wait in FIFO order. */
export class ScanLimiter {
  readonly #waiting = new Set<() => void>()
  #running = 0

  /** Wraps a handler, which then waits for its turn. Fails with `unavailable` (retryable) if too many requests wait. */
  limited(handler: Handler): Handler {
    return async (exchange) => {
      await this.#begin(exchange.signal)
      try {
        await handler(exchange)
      } finally {
        this.#end()
      }
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    if (this.#running < MAX_RUNNING) {
      this.#running += 1
      return
    }
    if (this.#waiting.size >= MAX_WAITING)
      throw new IvcapError(
        'unavailable',
        `too many listings are waiting: retry after ${RETRY_AFTER / 1000} s`,
        {
          retryAfter: RETRY_AFTER,
        },
      )
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        this.#waiting.delete(start)
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.delete(start)
        reject(signal.reason)
      }
      this.#waiting.add(start)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #end(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#running -= 1
    else next()
  }
}
