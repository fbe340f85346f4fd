import { SqlJsonPathError } from './errors.js'

/** Evaluation that can pause: a generator that yields when the budget requires it. Call `next()` until it is done. */
export type Work<T> = Generator<void, T, void>

/** Decides how long an evaluation may compute in one piece. */
export interface Budget {
  /**
   * Counts steps; a step takes about 100 ns. Returns true if the evaluation must pause. Since it cannot pause after every step,
   * all further calls must return true until it has paused. May throw to end the evaluation.
   */
  spend(steps: number): boolean
}

/** A budget without pauses. Ends the evaluation after a number of steps. */
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
