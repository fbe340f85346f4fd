import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'

/** Runs `wait` while the job that calls it counts as one that does not run. Resolves to its result when the job may go on. */
export type WhileWaiting = <T>(wait: () => Promise<T>) => Promise<T>

/** A place in the line. To be used once: by `run`, or by `release` where there is nothing to run after all. */
export interface Permit {
  /** Whether it is its turn already. */
  readonly free: boolean
  /** Runs it when it is its turn. */
  run<T>(job: () => Promise<T>): Promise<T>
  release(): void
  /**
   * For the job that runs: gives its place to another while it waits for others, and takes one again, before those that have not
   * begun yet, when it waits for nothing more. So jobs that wait for jobs never block each other, however deep they are nested.
   */
  readonly whileWaiting: WhileWaiting
}

/** Lets so many run at once; the others wait, first come, first served. */
export class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []
  readonly #taken = new Set<Promise<void>>()

  /** @throws IvcapError `invalid-argument` */
  constructor(concurrency: number) {
    if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
      const message = `concurrency must be a whole number from 1, not ${show(concurrency)}`
      throw new IvcapError('invalid-argument', message, { argument: 'concurrency' })
    }
    this.#free = concurrency
  }

  reserve(): Permit {
    const free = this.#free > 0
    if (free) this.#free -= 1
    const turn = free ? Promise.resolve() : new Promise<void>((resolve) => this.#waiting.push(resolve))
    let done = () => {}
    const taken = new Promise<void>((resolve) => {
      done = resolve
    })
    this.#taken.add(taken)
    const state = { isHeld: true, isOver: false, waits: 0 }
    const leave = () => {
      state.isOver = true
      this.#taken.delete(taken)
      if (state.isHeld) this.#next()
      done()
    }
    const release = () => {
      state.isHeld = false
      this.#next()
    }
    return {
      free,
      run: async (job) => {
        await turn
        try {
          return await job()
        } finally {
          leave()
        }
      },
      release: () => void turn.then(leave),
      whileWaiting: async (wait) => {
        state.waits += 1
        if (state.isHeld && !state.isOver) release()
        try {
          return await wait()
        } finally {
          state.waits -= 1
          // while it waits for another it needs no place: holding one could be what that other one lacks
          if (state.waits === 0 && !state.isOver && !state.isHeld) await this.#resume(state, release)
        }
      },
    }
  }

  /** When nothing runs or waits any more. */
  async settled(): Promise<void> {
    while (this.#taken.size > 0) await Promise.all(this.#taken)
  }

  /** A place again, ahead of the line. What has ended meanwhile, or waits again, passes it on. */
  async #resume(
    state: { isHeld: boolean; readonly isOver: boolean; readonly waits: number },
    release: () => void,
  ): Promise<void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.unshift(resolve))
    if (state.isHeld) this.#next()
    else if (state.isOver || state.waits > 0) release()
    else state.isHeld = true
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
