import type { Logger } from '@ivcap/core'
import { isLoopback } from './places.js'

const warned = new Set<string>()

/** Warns once for each deployment if a token is sent over plain http to another machine: others can read it on the way. */
export function warnOfPlainHttp(url: string, logger: Logger | undefined): void {
  const { protocol, origin } = new URL(url)
  if (protocol !== 'http:' || isLoopback(url) || warned.has(origin)) return
  warned.add(origin)
  logger?.warn?.(`ivcap: the token goes to ${origin} over plain http, where others can read it: use https`)
}
