import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import { abortable } from '../retry/delayed-abort.js'
import { checkCount } from './arguments.js'
import { signalOfThisRealm } from './operation.js'

/** The input of calls that process many items. */
export type Items<T> = Iterable<T> | AsyncIterable<T>

/**
 * Calls `run` for each item, `concurrency` calls at a time. Items are taken from the input as they are needed. After the first
 * failure no new call is started; those in progress are awaited. An abort has the same effect, even while the input is pending: an
 * input that never yields again is not awaited.
 *
 * @throws IvcapError `invalid-argument` for an invalid concurrency; otherwise rethrows the first failure
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

/** An iterator with several consumers. Makes one `next` call at a time and none after the end. An abort ends the wait. */
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

  /** Calls `return` of the iterator unless it has ended or failed. Awaits the result unless a `next` call is pending. */
  async close(): Promise<void> {
    if (this.#isOver && !this.#isWaiting) return
    const isStuck = this.#isWaiting
    this.#isOver = true
    const returned = Promise.resolve(this.#iterator.return?.())
    // a generator runs `return` only after its pending `next`, which may never end
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
      // like `for await`, also accepts an iterable of promises
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

/** @throws IvcapError `invalid-argument` unless the value is a whole number >= 1 */
export const checkConcurrency = (concurrency: unknown): number =>
  Math.min(checkCount(concurrency, 'concurrency', 1), MOST_AT_ONCE)

/** Upper bound of the concurrency. More workers only take memory: no server accepts so many concurrent requests. */
const MOST_AT_ONCE = 10_000
