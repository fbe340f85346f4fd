import type { IvcapOptions } from '@ivcap/core'
import { checkOptions } from '@ivcap/core/driver'
import type { OptionNames } from '@ivcap/core/internal'
import type { FunctionService } from '@ivcap/services'
import type { Place } from './choose.js'
import { hasHref } from './places.js'

export interface ServicesOptions {
  /**
   * Functions to run as services in this process, if the backend has no services. A deployment has its own services: these
   * functions are then ignored.
   */
  readonly services?: readonly FunctionService[] | undefined
}

export interface ConnectOptions extends Place, IvcapOptions, ServicesOptions {}

/** In a browser, functions can't run as services. */
export type BrowserConnectOptions = Omit<ConnectOptions, 'services'>

export const CONNECT_IN_BROWSER: OptionNames<BrowserConnectOptions> = {
  url: true,
  baseDir: true,
  token: true,
  stateDir: true,
  logger: true,
  onEvent: true,
  timeout: true,
}

export const CONNECT: OptionNames<ConnectOptions> = { services: true, ...CONNECT_IN_BROWSER }

/** A string or a URL is short for `{ url }`. @throws IvcapError `invalid-argument` */
export function connectOptions<O extends BrowserConnectOptions>(
  o: O | string | URL,
  names: OptionNames<NoInfer<O>>,
): O | Pick<BrowserConnectOptions, 'url'> {
  if (typeof o === 'string' || hasHref(o)) return { url: hasHref(o) ? o.href : o }
  return checkOptions<O>(o, names, 'connect')
}
