import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'

/**
 * Runs it on each item, `concurrency` of them at once, taken from the input as they are needed. The first failure ends it:
 * none is begun after it, those under way are waited for.
 *
 * @throws IvcapError `invalid-argument` for a concurrency that is none; else what the first failure was
 */
export async function concurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  concurrency: number,
  run: (item: T, i: number) => Promise<void>,
): Promise<void> {
  const queue = numbered(items)
  let failed = false
  const worker = async () => {
    for await (const [i, item] of { [Symbol.asyncIterator]: () => ({ next: () => queue.next() }) }) {
      if (failed) return
      await run(item, i)
    }
  }
  const workers = Array.from({ length: checkConcurrency(concurrency) }, () =>
    worker().catch((error: unknown) => {
      failed = true
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(workers)
  await queue.return()
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

async function* numbered<T>(
  items: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<[number, T], void, undefined> {
  let i = 0
  for await (const item of items) yield [i++, item]
}

/** @throws IvcapError `invalid-argument` */
export function checkConcurrency(concurrency: number): number {
  if (Number.isSafeInteger(concurrency) && concurrency > 0) return concurrency
  const message = `concurrency must be a whole number from 1, not ${show(concurrency)}`
  throw new IvcapError('invalid-argument', message, { argument: 'concurrency' })
}
