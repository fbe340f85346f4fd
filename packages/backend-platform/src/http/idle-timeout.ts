import { LONGEST_TIMER, startTimer, stopTimer, type Timer } from '@ivcap/core/internal'

/** Milliseconds that aborted work may take to stop. Work that ignores its signal is no longer awaited afterwards. */
const TIME_TO_STOP = 500

/** Aborts an exchange if the caller's signal aborts, or if there was no activity for too long. */
export class IdleTimeout {
  readonly #controller = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #forward = () => this.#controller.abort(this.#caller?.reason)
  #wait: { readonly ms: number; readonly timeoutError: () => unknown } | undefined
  #since = 0
  #timer: Timer | undefined
  #checksAt = Number.POSITIVE_INFINITY
  /** Stops awaiting work that does not stop. */
  #abandon: (() => void) | undefined
  #stopTimer: ReturnType<typeof setTimeout> | undefined

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller
    this.signal.addEventListener('abort', () => this.#allowTimeToStop(), { once: true })
    if (caller?.aborted) this.#forward()
    else caller?.addEventListener('abort', this.#forward)
  }

  /** The signal for the transport. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /**
   * Returns the result of `work`. Rejects with the caller's reason after an abort, and with `timeoutError()` if `touch` was not
   * called for `ms`. In both cases it rejects once `work` has stopped, or soon after if `work` does not stop.
   *
   * @param dispose receives a result that arrives after `run` has rejected
   */
  async run<T>(
    work: Promise<T>,
    ms: number,
    timeoutError: () => unknown,
    dispose: (result: T) => void = () => {},
  ): Promise<T> {
    const limit = Math.min(ms, LONGEST_TIMER)
    this.#wait = { ms: limit, timeoutError }
    this.touch()
    if (this.#since + limit < this.#checksAt) this.#checkIn(limit)
    let isAbandoned = false
    try {
      // not by Promise.race: each call would keep a reaction on the promises of the exchange, chunk after chunk
      return await new Promise<T>((resolve, reject) => {
        this.#abandon = () => {
          isAbandoned = true
          reject(this.signal.reason)
        }
        if (this.signal.aborted) this.#allowTimeToStop()
        work.then((result) => (isAbandoned ? dispose(result) : resolve(result)), reject)
      })
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : error
    } finally {
      clearTimeout(this.#stopTimer)
      this.#abandon = undefined
      this.#wait = undefined
    }
  }

  /** Restarts the idle time. */
  touch(): void {
    this.#since = performance.now()
  }

  /** The exchange is over: releases the caller's signal. */
  end(): void {
    stopTimer(this.#timer)
    this.#caller?.removeEventListener('abort', this.#forward)
  }

  #allowTimeToStop(): void {
    if (this.#abandon !== undefined) this.#stopTimer = setTimeout(this.#abandon, TIME_TO_STOP)
  }

  /** A timer checks from time to time: setting a timer for each chunk would cost more than the chunk. */
  #checkIn(ms: number): void {
    stopTimer(this.#timer)
    this.#checksAt = performance.now() + ms
    this.#timer = startTimer(() => this.#check(), ms)
  }

  #check(): void {
    this.#checksAt = Number.POSITIVE_INFINITY
    if (this.#wait === undefined) return
    const { ms, timeoutError } = this.#wait
    const left = this.#since + ms - performance.now()
    if (left > 0) this.#checkIn(Math.ceil(left))
    else this.#controller.abort(timeoutError())
  }
}
