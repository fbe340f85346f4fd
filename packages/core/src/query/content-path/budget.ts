import { FAILURE } from './failure.js'
import { refusal } from './refusal.js'

/** Some seconds at most, also on a slow machine. */
const MAX_STEPS = 2_000_000
/** Steps inside of steps: what a stack holds. */
const MAX_DEPTH = 1000

/** What the evaluation of a path on one content may take. */
export class Budget {
  #steps = MAX_STEPS
  #depth = 0

  spend = (steps: number): void => {
    this.#steps -= steps
    if (this.#steps >= 0) return
    throw refusal(
      'invalid-argument',
      `takes more than ${MAX_STEPS} steps on a content: make it more specific`,
    )
  }

  enter(): void {
    this.#depth += 1
    if (this.#depth <= MAX_DEPTH) return
    throw refusal('invalid-argument', `takes more than ${MAX_DEPTH} steps inside of each other: shorten it`)
  }

  leave(): void {
    this.#depth -= 1
  }

  /** Undefined where it fails. */
  attempt<T>(act: () => T): T | undefined {
    const depth = this.#depth
    try {
      return act()
    } catch (error) {
      if (error !== FAILURE) throw error
      this.#depth = depth
      return undefined
    }
  }
}
