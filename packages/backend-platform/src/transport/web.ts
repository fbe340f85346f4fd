/** `#transport` in browsers, and in other environments that have only fetch. A browser applies its own proxies. */
import { fetchTransport } from './fetch.js'
import type { Transport, TransportOptions } from './types.js'

export function openTransport({ fetch }: TransportOptions): Transport {
  // looked up at each call: the global fetch may be replaced, and must be called without `this`
  return fetchTransport(fetch ?? ((input, init) => globalThis.fetch(input, init)))
}
