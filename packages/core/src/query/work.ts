/**
 * Lets queries compute for long without blocking the process. A filter over one record is a generator that yields where it may
 * pause. A content path counts its steps against a `Budget`, and becomes such a generator when it must pause. `WorkBudget` is the
 * computing time of a request: it runs the generators in slices, lets the event loop turn after each slice, and fails the request
 * when its time is used up.
 */
import type { Budget, Work } from '@ivcap/sql-json-path'
import { IvcapError } from '../model/errors.js'

export type { Work }

/** Milliseconds of computing before other work may run. */
const SLICE_MS = 10
/** Milliseconds of computing for one request, in addition to LIMIT_PER_RECORD_MS for each record that it reads. */
const LIMIT_MS = 5000
const LIMIT_PER_RECORD_MS = 0.1
/** Steps between two readings of the clock. A step takes about 100 ns. */
const STEPS_PER_LOOK = 512
/** Maximum milliseconds that count for a step: time in which the process was suspended or not scheduled must not count. */
const MAX_STEP_MS = 0.002

export interface WorkBudgetOptions {
  /** Total milliseconds of computing. @default 5000 */
  readonly limit?: number
  /** Returns milliseconds from any origin. @default performance.now */
  readonly now?: () => number
  /** Lets the event loop turn. @default nextTurn */
  readonly pause?: () => Promise<void>
  readonly signal?: AbortSignal | undefined
}

/** The computing time of one request: for all its filters and content paths, over all records that it reads. */
export class WorkBudget implements Budget {
  readonly #now: () => number
  readonly #pause: () => Promise<void>
  readonly #signal: AbortSignal | undefined
  #left: number
  #steps = 0
  /** Whether a pause is due. */
  #isDue = false
  #seen = 0

  constructor(o: WorkBudgetOptions = {}) {
    this.#left = o.limit ?? LIMIT_MS
    this.#now = o.now ?? now
    this.#pause = o.pause ?? nextTurn
    this.#signal = o.signal
  }

  /** Counts steps of about 100 ns. Returns true if the work must pause now, and stays true until it has paused. */
  spend(steps: number): boolean {
    this.#steps += steps
    return (this.#isDue || this.#steps >= STEPS_PER_LOOK) && this.#look()
  }

  /** Adds the computing time of one more record. */
  beginRecord(): void {
    this.#left += LIMIT_PER_RECORD_MS
    this.#seen = this.#now()
  }

  /**
   * Runs the work for one record.
   *
   * @param argument the argument that an error names: `filter` or `contentPath`
   * @throws IvcapError `invalid-argument` if the time of the request is used up; the signal's reason if it aborts
   */
  run<T>(work: Work<T>, argument: string): Promise<T> {
    this.beginRecord()
    return this.finish(work, argument)
  }

  /** Runs the rest of the work for a record. Throws as `run` does. */
  async finish<T>(work: Work<T>, argument: string): Promise<T> {
    for (;;) {
      const { done, value } = work.next()
      if (done) return value
      if (this.#left < 0) throw tooExpensive(argument)
      await this.#pause()
      this.#isDue = false
      this.#signal?.throwIfAborted()
      this.#seen = this.#now()
    }
  }

  #look(): boolean {
    const time = this.#now()
    this.#left -= Math.min(time - this.#seen, this.#steps * MAX_STEP_MS)
    this.#seen = time
    this.#steps = 0
    this.#isDue = this.#left < 0 || time - turnBegan > SLICE_MS
    return this.#isDue
  }
}

/** An asynchronous `filter`. Tests one item after the other. */
export async function selectAsync<T>(
  items: readonly T[],
  matches: (item: T) => Promise<boolean>,
): Promise<T[]> {
  const selected: T[] = []
  for (const item of items) if (await matches(item)) selected.push(item)
  return selected
}

function tooExpensive(argument: string): IvcapError {
  return new IvcapError(
    'invalid-argument',
    `${argument} takes too long to compute: make it more specific, or narrow the listing by entity, schema or time`,
    { argument },
  )
}

// captured when the module loads, since tests replace timers and clocks
const performanceNow = performance.now.bind(performance)
const setTimer = setTimeout
const now = (): number => performanceNow()

/** Start of the event loop turn in which work last continued. */
let turnBegan = Number.NEGATIVE_INFINITY
const waiting: (() => void)[] = []

/**
 * Resolves in a new turn of the event loop, first come, first served. Of all work in this process that waits here, only one slice
 * runs before the event loop polls sockets and files again.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve)
    if (waiting.length === 1) soon(turn)
  })
}

function turn(): void {
  turnBegan = now()
  const [next] = waiting
  next?.()
  // must wait until this slice has ended, which it does before the event loop turns
  soon(() => {
    waiting.shift()
    if (waiting.length > 0) turn()
  })
}

/**
 * For operations that are so short that they never wait. A loop of them would block the event loop, so that neither other work
 * nor a timeout could run. Each operation must await the returned function at its start. Every 10 ms one of these calls waits for a
 * turn.
 */
export function shareTurns(): () => Promise<void> {
  let began = now()
  return async () => {
    if (now() - began <= SLICE_MS) return
    await nextTurn()
    began = now()
  }
}

/** Uses no timer: nested timers wait 4 ms in browsers, and tests replace timers. */
function soon(act: () => void): void {
  if (typeof MessageChannel === 'undefined') {
    setTimer(act, 0)
    return
  }
  const { port1, port2 } = new MessageChannel()
  const arrived = () => {
    port1.close()
    act()
  }
  port1.addEventListener('message', arrived, { once: true })
  port1.start()
  port2.postMessage(undefined)
}
