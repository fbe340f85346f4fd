/** Aborts an exchange when the caller says so, or when it has stood still for too long. */
export class Watch {
  readonly #stop = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #forward = () => this.#stop.abort(this.#caller?.reason)

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller
    if (caller?.aborted) this.#forward()
    else caller?.addEventListener('abort', this.#forward)
  }

  /** For fetch. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The result of `work`, or the reason for which it was stopped: the caller's, or `late()` after `ms`. */
  async over<T>(work: Promise<T>, ms: number, late: () => unknown): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    this.moved = () => {
      clearTimeout(timer)
      timer = setTimeout(() => this.#stop.abort(late()), ms)
    }
    this.moved()
    try {
      return await work
    } catch (error) {
      throw this.signal.aborted ? this.signal.reason : error
    } finally {
      clearTimeout(timer)
      this.moved = () => {}
    }
  }

  /** Something happened: what it is waited for may take its time anew. */
  moved = () => {}

  /** The exchange is over: the caller's signal is let go. */
  end(): void {
    this.#caller?.removeEventListener('abort', this.#forward)
  }
}
