/** `#transport` in browsers and wherever else only fetch is at hand. */
import { fetchTransport } from './fetch.js'
import type { Transport } from './types.js'

/** @param fetch What to send with instead of the global one */
export function openTransport(fetch: typeof globalThis.fetch | undefined): Transport {
  // asked for at each call: the global one may be replaced, and must be called as a function of its own
  return fetchTransport(fetch ?? ((input, init) => globalThis.fetch(input, init)))
}
