/**
 * Lets tasks go on one at a time, in an order that a random number decides at every step: the same numbers, the same
 * interleaving. A task that waits for its turn and never gets it has crashed.
 */
export class Scheduler {
  readonly #waiting: (() => void)[] = []
  readonly #random: () => number
  /** Steps taken so far. */
  now = 0

  constructor(random: () => number) {
    this.#random = random
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Until nobody waits any more. */
  async run(): Promise<void> {
    for (;;) {
      // all that follows from the last step has happened when the event loop comes round
      await new Promise((resolve) => setImmediate(resolve))
      const i = Math.floor(this.#random() * this.#waiting.length)
      const [next] = this.#waiting.splice(i, 1)
      if (next === undefined) return
      this.now++
      next()
    }
  }
}
