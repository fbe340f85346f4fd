import { IvcapError } from '@ivcap/core/driver'
import type { Handler } from './exchange.js'

/** Listings that read at once, and that wait for their turn. */
const RUNNING = 16
const WAITING = 256
/** Milliseconds after which one that found no place may ask again. */
const RETRY_AFTER = 2000

/** Lets a bounded number of listings read at once: each may have to read all that there is. The others wait, first come, first served. */
export class Scans {
  readonly #waiting = new Set<() => void>()
  #running = 0

  /** The handler, in its turn. @throws IvcapError `unavailable`, to be retried, when too many wait already */
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
    if (this.#running < RUNNING) {
      this.#running += 1
      return
    }
    if (this.#waiting.size >= WAITING)
      throw new IvcapError('unavailable', 'too many listings are waiting: ask again later', {
        retryAfter: RETRY_AFTER,
      })
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
