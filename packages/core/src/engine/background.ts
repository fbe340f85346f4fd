/** Pieces of work that run at once; further ones wait. */
const MOST = 32

/**
 * Work that goes on after an answer. It changes nothing that a reader can tell, so its failures are ignored: the next writer
 * does what was left.
 */
export class BackgroundWork {
  readonly #running = new Set<Promise<void>>()

  /** Starts the work. Returns at once, unless too much is running. */
  async start(work: () => Promise<unknown>): Promise<void> {
    while (this.#running.size >= MOST) await Promise.race(this.#running)
    const running = bestEffort(work()).finally(() => {
      this.#running.delete(running)
    })
    this.#running.add(running)
  }

  /** Resolves when all that was started has ended. */
  async finished(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}

/** Ignores a failure, of work that the next writer may do. */
export async function bestEffort(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch {
    // see above
  }
}
