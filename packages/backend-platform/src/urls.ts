import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Where a deployment is, and which addresses are its own: the token goes to its origin alone. */
export interface Deployment {
  /** The base URL without a slash at the end. */
  readonly href: string
  /** The address of a call, e.g. of `/1/artifacts`. */
  api(path: string, query?: Query): URL
  /**
   * The address of an artifact's bytes. Of an address elsewhere the path and query count, on the configured base: the
   * deployment gives its outer name, which need not be known where we are. An origin that is trusted stays as it is.
   *
   * @throws IvcapError `protocol` for what is no http address
   */
  data(href: string): URL
  /** Whether it is of the origin that may see the token. */
  contains(url: URL): boolean
}

/** @throws IvcapError `invalid-argument` */
export function deploymentAt(url: string, trustOrigins: readonly string[] = []): Deployment {
  const base = httpUrl(url, 'url')
  if (base.search !== '' || base.hash !== '') {
    throw invalid('url', `url must end with its path, without query or fragment: ${show(shown(base))}`)
  }
  const trusted = new Set(trustOrigins.map((origin) => httpUrl(origin, 'trustOrigins').origin))
  const prefix = base.pathname.replace(/\/+$/, '')
  const contains = (other: URL) => other.origin === base.origin

  /** By the parts, not as text: a path such as `//elsewhere/x` would name a host. */
  const onBase = (path: string, search: string): URL => {
    const own = new URL(base.origin)
    own.pathname = path === prefix || path.startsWith(`${prefix}/`) ? path : `${prefix}${path}`
    own.search = search
    return own
  }
  return {
    href: `${base.origin}${prefix}`,
    contains,
    api(path, query = {}) {
      const search = new URLSearchParams()
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) search.set(name, String(value))
      }
      return onBase(`${prefix}${path}`, search.toString())
    },
    data(href) {
      const target = parse(href, `${base.origin}${prefix}/`)
      if (target === undefined || !isHttp(target)) {
        const message = `the deployment gave an artifact the data-href ${show(href)}, which is no http address`
        throw new IvcapError('protocol', message)
      }
      const absolute = /^[a-z][a-z0-9+.-]*:/i.test(href.trim())
      if (absolute && (contains(target) || trusted.has(target.origin))) return bare(target)
      return onBase(target.pathname, target.search)
    },
  }
}

/** What to redirect to; undefined for what is no http address. */
export function redirectTarget(location: string, from: URL): URL | undefined {
  const target = parse(location, from.href)
  return target !== undefined && isHttp(target) ? bare(target) : undefined
}

/** For messages: queries may be signed. */
export const shown = (url: URL): string => `${url.origin}${url.pathname}`

/** A URN as a segment of a path. */
export const segment = (urn: string): string => encodeURIComponent(urn).replaceAll('%3A', ':')

function httpUrl(text: string, argument: string): URL {
  const url = parse(text)
  if (url === undefined || !isHttp(url)) {
    throw invalid(argument, `${argument} must be a URL such as https://api.example.com, not ${show(text)}`)
  }
  // the message must not repeat them
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      argument,
      `${argument} (host ${url.host}) has a user name or password in it: use token instead`,
    )
  }
  return url
}

function parse(text: string, base?: string): URL | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

const isHttp = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'https:'

/** Without a user and without a fragment, neither of which is any server's business. */
function bare(url: URL): URL {
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  plain.hash = ''
  return plain
}

function invalid(argument: string, message: string): IvcapError {
  return new IvcapError('invalid-argument', message, { argument })
}
