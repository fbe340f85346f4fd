import { LONGEST_TIMER, startTimer, stopTimer, type Timer } from '@ivcap/core/internal'

/**
 * Milliseconds that work which was told to stop may take to do so. What does not react at all (a token function, a fetch that
 * ignores its signal) is left behind after that.
 */
const TIME_TO_STOP = 500

/** Ends an exchange when the caller's signal aborts, or when nothing has happened for too long. */
export class Watch {
  readonly #stop = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #forward = () => this.#stop.abort(this.#caller?.reason)
  #wait: { readonly ms: number; readonly late: () => unknown } | undefined
  #since = 0
  #timer: Timer | undefined
  #looksAt = Number.POSITIVE_INFINITY
  /** Ends the waiting for work that does not stop. */
  #abandon: (() => void) | undefined
  #stopTimer: ReturnType<typeof setTimeout> | undefined

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller
    this.signal.addEventListener('abort', () => this.#giveTimeToStop(), { once: true })
    if (caller?.aborted) this.#forward()
    else caller?.addEventListener('abort', this.#forward)
  }

  /** For the transport. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /**
   * The result of `work`. Rejects with the caller's reason after an abort, with `late()` if nothing moved for `ms`; in both
   * cases once `work` has stopped, or soon after if it does not.
   *
   * @param dispose Gets the result of work that ended too late to be used.
   */
  async over<T>(
    work: Promise<T>,
    ms: number,
    late: () => unknown,
    dispose: (result: T) => void = () => {},
  ): Promise<T> {
    const limit = Math.min(ms, LONGEST_TIMER)
    this.#wait = { ms: limit, late }
    this.moved()
    if (this.#since + limit < this.#looksAt) this.#lookIn(limit)
    let isProcessGone = false
    try {
      // no Promise.race: each would stay attached to what it is raced with, chunk after chunk
      return await new Promise<T>((resolve, reject) => {
        this.#abandon = () => {
          isProcessGone = true
          reject(this.signal.reason)
        }
        if (this.signal.aborted) this.#giveTimeToStop()
        work.then((result) => (isProcessGone ? dispose(result) : resolve(result)), reject)
      })
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : error
    } finally {
      clearTimeout(this.#stopTimer)
      this.#abandon = undefined
      this.#wait = undefined
    }
  }

  /** Something happened: the time for what is awaited begins anew. */
  moved(): void {
    this.#since = performance.now()
  }

  /** The exchange is over: releases the caller's signal. */
  end(): void {
    stopTimer(this.#timer)
    this.#caller?.removeEventListener('abort', this.#forward)
  }

  #giveTimeToStop(): void {
    if (this.#abandon !== undefined) this.#stopTimer = setTimeout(this.#abandon, TIME_TO_STOP)
  }

  /** One timer looks from time to time: to set one for each chunk costs more than the chunk. */
  #lookIn(ms: number): void {
    stopTimer(this.#timer)
    this.#looksAt = performance.now() + ms
    this.#timer = startTimer(() => this.#look(), ms)
  }

  #look(): void {
    this.#looksAt = Number.POSITIVE_INFINITY
    if (this.#wait === undefined) return
    const { ms, late } = this.#wait
    const left = this.#since + ms - performance.now()
    if (left > 0) this.#lookIn(Math.ceil(left))
    else this.#stop.abort(late())
  }
}
