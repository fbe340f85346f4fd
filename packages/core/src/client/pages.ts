import type { OpOptions, Page } from '../ports/index.js'
import type { Context } from './context.js'
import { inspectable } from './inspect.js'
import { type Listing, listing } from './listing.js'
import { type CallOptions, perform } from './operation.js'

interface PageRequest {
  readonly limit: number
  readonly cursor?: string
}

/**
 * A listing whose calls are named `operation`. The timeout bounds each page of an iteration, and the whole of `toArray()`.
 *
 * @param limit items in all; Infinity for all of them
 */
export function listingOf<R, T>(
  context: Context,
  operation: string,
  {
    limit,
    signal,
    timeout,
    failures,
  }: CallOptions & Pick<OpOptions, 'failures'> & { readonly limit: number },
  fetchPage: (page: PageRequest, op: OpOptions) => Promise<Page<R>>,
  wrap: (record: R) => T,
): Listing<T> {
  const over = (o: CallOptions & Pick<OpOptions, 'failures'>) =>
    listing(limit, (page) => perform(context, operation, o, (op) => fetchPage(page, op)), wrap)
  const own = { signal, timeout, ...(failures && { failures }) }
  const pageByPage = over(own)
  const whole: Listing<T> = {
    ...pageByPage,
    toArray: () =>
      perform(context, operation, own, ({ signal: merged, failures: seen }) =>
        over({
          signal: merged,
          timeout: Number.POSITIVE_INFINITY,
          ...(seen && { failures: seen }),
        }).toArray(),
      ),
  }
  inspectable(whole, 'Listing', () => ({ of: operation, limit }))
  return whole
}
