/** In a browser there is one place to connect to: a deployment. Backends of one's own go into `new Ivcap(backend)`. */
import { platformBackend } from '@ivcap/backend-platform'
import { Ivcap, type IvcapOptions } from '@ivcap/core'
import { choose, type Place } from './choose.js'
import { unavailable } from './unavailable.js'
import { warnOfPlainHttp } from './warn.js'

export * from '@ivcap/core'
export type { Token } from './choose.js'

export interface ConnectOptions extends Place, IvcapOptions {}

/**
 * The client for a deployment; needs `url` and `token`.
 *
 * @throws IvcapError `invalid-argument`; `unsupported` for places that a browser can't reach
 */
export async function connect(o: ConnectOptions | string): Promise<Ivcap> {
  const options = typeof o === 'string' ? { url: o } : o
  const choice = choose(options, {})
  if (choice.kind !== 'platform') throw unavailable(choice.kind)
  const { url, token } = choice
  const { stateDir, logger } = options
  const ivcap = new Ivcap(platformBackend({ url, token, stateDir, logger }), options)
  options.logger?.debug?.(`ivcap: ${ivcap.url} (${choice.why})`)
  warnOfPlainHttp(url, options.logger)
  return ivcap
}

/** @throws IvcapError `unsupported`: a browser has no folders */
export async function local(): Promise<Ivcap> {
  throw unavailable('local')
}
