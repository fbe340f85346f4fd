/** Maximum number of works that run concurrently; further ones wait. */
const MOST = 32

/**
 * Work that runs after an operation has returned. It changes nothing that a reader can observe. So failures are ignored: the
 * next writer does the remaining work.
 */
export class BackgroundWork {
  readonly #running = new Set<Promise<void>>()

  /** Starts the work. Waits first if too many works are running. */
  async start(work: () => Promise<unknown>): Promise<void> {
    while (this.#running.size >= MOST) await Promise.race(this.#running)
    const running = bestEffort(work()).finally(() => {
      this.#running.delete(running)
    })
    this.#running.add(running)
  }

  /** Resolves when all started work has ended. */
  async finished(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}

/** Awaits the work and ignores its failure. Only for work that the next writer can do. */
export async function bestEffort(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch {
    // see above
  }
}
