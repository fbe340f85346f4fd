/** In a browser, `connect` supports only deployments. Pass your own backend to `new Ivcap(backend)`. */
import { platformBackend } from '@ivcap/backend-platform'
import { Ivcap } from '@ivcap/core'
import { choose } from './choose.js'
import { type BrowserConnectOptions, CONNECT_IN_BROWSER, connectOptions } from './options.js'
import { unavailable } from './unavailable.js'
import { warnOfPlainHttp } from './warn.js'

export * from '@ivcap/core'
export type { Token } from './choose.js'
export type { BrowserConnectOptions as ConnectOptions } from './options.js'

/**
 * Creates the client for a deployment. Requires `url`, and a `token` unless the deployment is on this machine and open.
 *
 * @throws IvcapError `invalid-argument`; `unsupported` for backends that a browser can't reach
 */
export async function connect(o: BrowserConnectOptions | string | URL): Promise<Ivcap> {
  const options: BrowserConnectOptions = connectOptions(o, CONNECT_IN_BROWSER)
  const choice = choose(options, {})
  if (choice.kind !== 'platform') throw unavailable(choice.kind)
  const { url, token } = choice
  const { stateDir, logger, onEvent, timeout } = options
  const ivcap = new Ivcap(platformBackend({ url, token, stateDir, logger }), {
    stateDir,
    logger,
    onEvent,
    timeout,
  })
  options.logger?.debug?.(`ivcap: ${ivcap.url} (${choice.why})`)
  if (token !== undefined) warnOfPlainHttp(url, options.logger)
  return ivcap
}

/** @throws IvcapError `unsupported`: a browser has no folders */
export async function local(): Promise<Ivcap> {
  throw unavailable('local')
}
