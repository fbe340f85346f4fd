/**
 * Queries that compute for long don't block the process. A filter over one record is a generator that yields where it may pause;
 * a content path counts its steps against a `Budget`, and becomes such a generator when it must pause. `WorkBudget` is the
 * computing time of a request: it runs the generators in slices, lets the event loop turn after each, and ends the request
 * when its time is used up.
 */
import type { Budget, Work } from '@ivcap/sql-json-path'
import { IvcapError } from '../model/errors.js'

export type { Work }

/** Milliseconds of computing before other work gets its turn. */
const SLICE_MS = 10
/** Milliseconds of computing that one request may take, beside what each record that it looks at adds. */
const LIMIT_MS = 5000
const LIMIT_PER_RECORD_MS = 0.1
/** Steps between two looks at the clock. A step takes about 100 ns. */
const STEPS_PER_LOOK = 512
/** Milliseconds that a step counts at most: time in which the process was stopped, or had no processor, doesn't count. */
const MAX_STEP_MS = 0.002

export interface WorkBudgetOptions {
  /** Milliseconds of computing, in all. @default 5000 */
  readonly limit?: number
  /** Milliseconds, from any origin. @default performance.now */
  readonly now?: () => number
  /** Lets the event loop turn. @default nextTurn */
  readonly pause?: () => Promise<void>
  readonly signal?: AbortSignal | undefined
}

/** The computing time of one request: of all its filters and content paths, over all records that it looks at. */
export class WorkBudget implements Budget {
  readonly #now: () => number
  readonly #pause: () => Promise<void>
  readonly #signal: AbortSignal | undefined
  #left: number
  #steps = 0
  /** A pause is due. */
  #isDue = false
  #seen = 0

  constructor(o: WorkBudgetOptions = {}) {
    this.#left = o.limit ?? LIMIT_MS
    this.#now = o.now ?? now
    this.#pause = o.pause ?? nextTurn
    this.#signal = o.signal
  }

  /** Counts steps of about 100 ns. True: pause now; it stays true until the work has paused. */
  spend(steps: number): boolean {
    this.#steps += steps
    return (this.#isDue || this.#steps >= STEPS_PER_LOOK) && this.#look()
  }

  /** Adds the time that one more record may take. */
  beginRecord(): void {
    this.#left += LIMIT_PER_RECORD_MS
    this.#seen = this.#now()
  }

  /**
   * Does the work for one record.
   *
   * @param argument the argument that an error names: `filter` or `contentPath`
   * @throws IvcapError `invalid-argument` when the request has used up its time; the signal's reason when it aborts
   */
  run<T>(work: Work<T>, argument: string): Promise<T> {
    this.beginRecord()
    return this.finish(work, argument)
  }

  /** Does what is left of the work for a record. Throws as `run` does. */
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

/** As `filter` does, one after the other. */
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

// taken when the module loads: tests replace timers and clocks
const performanceNow = performance.now.bind(performance)
const setTimer = setTimeout
const now = (): number => performanceNow()

/** When the turn of the event loop began in which work last went on. */
let turnBegan = Number.NEGATIVE_INFINITY
const waiting: (() => void)[] = []

/**
 * Resolves in a turn of the event loop of its own, first come, first served: of all work in this process that waits here, one
 * slice runs between two looks at sockets and files.
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
  // not before this one's slice has ended, which it does before the event loop turns
  soon(() => {
    waiting.shift()
    if (waiting.length > 0) turn()
  })
}

/**
 * For operations so short that they never wait: a loop of them would keep the event loop from turning, so that neither other work
 * nor a timeout gets its turn. The result is to be awaited at the start of each; every 10 ms one of them waits for a turn.
 */
export function shareTurns(): () => Promise<void> {
  let began = now()
  return async () => {
    if (now() - began <= SLICE_MS) return
    await nextTurn()
    began = now()
  }
}

/** Not by a timer: those wait 4 ms in browsers once they are nested, and tests replace them. */
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
