import { SqlJsonPathError } from './errors.js'

/** Evaluation that can pause: a generator that yields where the budget asks for it. Drive it with `next()` until it is done. */
export type Work<T> = Generator<void, T, void>

/** Decides how long an evaluation may compute in one piece. */
export interface Budget {
  /**
   * Counts steps; one takes about 100 ns. Returns true where the evaluation must pause, and from then on until it has paused:
   * there are steps after which it can't. May throw to end the evaluation.
   */
  spend(steps: number): boolean
}

/** Ends an evaluation that never pauses after a number of steps. */
export class StepLimit implements Budget {
  readonly #limit: number
  #steps = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @throws SqlJsonPathError `too-expensive` */
  spend(steps: number): boolean {
    this.#steps += steps
    if (this.#steps <= this.#limit) return false
    throw new SqlJsonPathError(
      'too-expensive',
      `the evaluation takes more than ${this.#limit} steps: make the path more specific, or raise maxSteps`,
    )
  }
}
