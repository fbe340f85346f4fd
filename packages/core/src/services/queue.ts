import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'

/** A place in the line. To be used once: by `run`, or by `release` where there is nothing to run after all. */
export interface Slot {
  /** Whether it is its turn already. */
  readonly free: boolean
  /** Runs it when it is its turn. */
  run<T>(job: () => Promise<T>): Promise<T>
  release(): void
}

/** Lets so many run at once; the others wait, first come, first served. */
export class Queue {
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

  reserve(): Slot {
    const free = this.#free > 0
    if (free) this.#free -= 1
    const turn = free ? Promise.resolve() : new Promise<void>((resolve) => this.#waiting.push(resolve))
    let done = () => {}
    const taken = new Promise<void>((resolve) => {
      done = resolve
    })
    this.#taken.add(taken)
    const leave = () => {
      this.#taken.delete(taken)
      this.#next()
      done()
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
    }
  }

  /** When nobody runs or waits any more. */
  async settled(): Promise<void> {
    while (this.#taken.size > 0) await Promise.all(this.#taken)
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
