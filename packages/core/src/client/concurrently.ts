import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import { abortable } from '../retry/delayed-abort.js'
import { checkCount } from './arguments.js'
import { signalOfThisRealm } from './operation.js'

/** What many calls take their items from. */
export type Items<T> = Iterable<T> | AsyncIterable<T>

/**
 * Runs it on each item, `concurrency` of them at once, taken from the input as they are needed. The first failure ends it:
 * none is begun after it, those under way are waited for. An abort ends it likewise, also while the input waits: an input
 * that never yields again is not waited for.
 *
 * @throws IvcapError `invalid-argument` for a concurrency that is none; else what the first failure was
 */
export async function concurrently<T>(
  items: Items<T>,
  concurrency: number,
  run: (item: T, i: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const input = new Input(items, signal && signalOfThisRealm(signal))
  let failed = false
  const worker = async () => {
    for (let next = await input.next(); next !== undefined && !failed; next = await input.next()) {
      await run(next.item, next.i)
    }
  }
  const workers = Array.from({ length: checkConcurrency(concurrency) }, () =>
    worker().catch((error: unknown) => {
      failed = true
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(workers)
  await input.close()
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

/** An iterator that many take items from: one `next` at a time, none after the end, and an abort ends the waiting. */
class Input<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>
  readonly #signal: AbortSignal | undefined
  #last: Promise<unknown> = Promise.resolve()
  #count = 0
  #isOver = false
  #isWaiting = false

  constructor(items: Items<T>, signal: AbortSignal | undefined) {
    this.#iterator = iteratorOf(items)
    this.#signal = signal
  }

  next(): Promise<{ readonly item: T; readonly i: number } | undefined> {
    const result = this.#last.then(() => this.#take())
    this.#last = result.catch(() => {})
    return result
  }

  /** Tells the input that no more is needed, unless it has ended or failed. Waits for it, unless it does not answer. */
  async close(): Promise<void> {
    if (this.#isOver && !this.#isWaiting) return
    const isStuck = this.#isWaiting
    this.#isOver = true
    const returned = Promise.resolve(this.#iterator.return?.())
    // a generator that waits answers once it goes on, if ever
    if (isStuck) returned.catch(() => {})
    else await returned
  }

  async #take() {
    if (this.#isOver) return undefined
    this.#signal?.throwIfAborted()
    try {
      this.#isWaiting = true
      const { done, value } = await abortable(this.#iterator.next(), this.#signal)
      this.#isWaiting = false
      if (done === true) {
        this.#isOver = true
        return undefined
      }
      // an iterable of promises is an input, too, as it is for `for await`
      return { item: await abortable(value, this.#signal), i: this.#count++ }
    } catch (error) {
      if (!this.#signal?.aborted) this.#isWaiting = false
      this.#isOver = true
      throw error
    }
  }
}

function iteratorOf<T>(items: Items<T>): Iterator<T> | AsyncIterator<T> {
  if (typeof items === 'object' && items !== null) {
    if (Symbol.asyncIterator in items) return items[Symbol.asyncIterator]()
    if (Symbol.iterator in items) return items[Symbol.iterator]()
  }
  const message = `the input must be an iterable or async iterable, such as an array or a generator, not ${show(items)}`
  throw new IvcapError('invalid-argument', message, { argument: 'input' })
}

/** @throws IvcapError `invalid-argument` unless it is a whole number from 1 */
export const checkConcurrency = (concurrency: unknown): number =>
  Math.min(checkCount(concurrency, 'concurrency', 1), MOST_AT_ONCE)

/** More workers than that only take memory: no server accepts as many requests at once. */
const MOST_AT_ONCE = 10_000
