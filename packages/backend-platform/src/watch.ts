import { startTimer, stopTimer, type Timer } from '@ivcap/core/driver'

/** Aborts an exchange when the caller says so, or when it has stood still for too long. */
export class Watch {
  readonly #stop = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #forward = () => this.#stop.abort(this.#caller?.reason)
  #wait: { readonly ms: number; readonly late: () => unknown } | undefined
  #since = 0
  #timer: Timer | undefined
  #looksAt = Number.POSITIVE_INFINITY

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller
    if (caller?.aborted) this.#forward()
    else caller?.addEventListener('abort', this.#forward)
  }

  /** For fetch. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The result of `work`, or the reason for which it was stopped: the caller's, or `late()` after `ms` without a move. */
  async over<T>(work: Promise<T>, ms: number, late: () => unknown): Promise<T> {
    this.#wait = { ms, late }
    this.moved()
    if (this.#since + ms < this.#looksAt) this.#lookIn(ms)
    try {
      return await work
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : error
    } finally {
      this.#wait = undefined
    }
  }

  /** Something happened: what is waited for may take its time anew. */
  moved(): void {
    this.#since = performance.now()
  }

  /** The exchange is over: the caller's signal is let go. */
  end(): void {
    stopTimer(this.#timer)
    this.#caller?.removeEventListener('abort', this.#forward)
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
