import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'

/** Runs `wait` while the calling job releases its permit. Resolves to its result when the job has a permit again. */
export type WithoutPermit = <T>(wait: () => Promise<T>) => Promise<T>

/** A permit, or a position in the queue for one. The caller must call either `run` or `release`, once. */
export interface Permit {
  /** True if the permit was available immediately. */
  readonly free: boolean
  /** Runs the job when the permit is available, and releases the permit after it. */
  run<T>(job: () => Promise<T>): Promise<T>
  release(): void
  /**
   * For the running job: releases the permit during the wait and takes one again afterwards, before jobs that have not begun yet.
   * Therefore jobs that wait for jobs never block each other, however deeply they are nested.
   */
  readonly withoutPermit: WithoutPermit
}

/** Bounds the number of running jobs. The others wait in FIFO order. */
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
      withoutPermit: async (wait) => {
        state.waits += 1
        if (state.isHeld && !state.isOver) release()
        try {
          return await wait()
        } finally {
          state.waits -= 1
          // no permit while another wait is open: the other job may need it
          if (state.waits === 0 && !state.isOver && !state.isHeld) await this.#resume(state, release)
        }
      },
    }
  }

  /** Resolves when no job runs or waits. */
  async settled(): Promise<void> {
    while (this.#taken.size > 0) await Promise.all(this.#taken)
  }

  /** Takes a permit, ahead of the queue. Passes it on if the job has ended or waits again. */
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
