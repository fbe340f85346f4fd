import type { Logger } from '@ivcap/core'

const warned = new Set<string>()

/** A token over plain http to another machine can be read on the way: said once for each deployment. */
export function warnOfPlainHttp(url: string, logger: Logger | undefined): void {
  const { protocol, hostname, origin } = new URL(url)
  const here = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  if (protocol !== 'http:' || here || warned.has(origin)) return
  warned.add(origin)
  logger?.warn?.(`ivcap: the token goes to ${origin} over plain http, where others can read it: use https`)
}
