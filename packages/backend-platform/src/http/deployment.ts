import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** The URLs of a deployment. The token is sent only to its origin. */
export interface Deployment {
  /** The base URL without a trailing slash. */
  readonly href: string
  /** The URL of an API call, e.g. of `/1/artifacts`. */
  api(path: string, query?: Query): URL
  /**
   * The URL of an artifact's bytes. A deployment returns URLs with its public origin, which may not resolve inside its cluster.
   * If `href` has another origin, its path and query are used on the configured base. Trusted origins are used unchanged.
   *
   * @throws IvcapError `protocol` if `href` is not an http URL
   */
  data(href: string): URL
  /** True if the URL has the origin of the deployment. Only this origin gets the token. */
  isSameOrigin(url: URL): boolean
}

/** @throws IvcapError `invalid-argument` */
export function parseDeployment(url: string, trustOrigins: readonly string[] = []): Deployment {
  const base = httpUrl(url, 'url')
  if (base.search !== '' || base.hash !== '') {
    throw invalid('url', `url must end with its path, without query or fragment: ${show(printable(base))}`)
  }
  const trusted = new Set(trustOrigins.map((origin) => httpUrl(origin, 'trustOrigins').origin))
  const prefix = base.pathname.replace(/\/+$/, '')
  const isSameOrigin = (other: URL) => other.origin === base.origin

  /** Built from parts: in a URL text, a path such as `//elsewhere/x` would name a host. */
  const onBase = (path: string, search: string): URL => {
    const own = new URL(base.origin)
    own.pathname = path === prefix || path.startsWith(`${prefix}/`) ? path : `${prefix}${path}`
    own.search = search
    return own
  }
  return {
    href: `${base.origin}${prefix}`,
    isSameOrigin,
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
      if (absolute && (isSameOrigin(target) || trusted.has(target.origin))) return bare(target)
      return onBase(target.pathname, target.search)
    },
  }
}

/** Returns the target of a redirect; undefined if it is not an http URL. */
export function redirectTarget(location: string, from: URL): URL | undefined {
  const target = parse(location, from.href)
  return target !== undefined && isHttp(target) ? bare(target) : undefined
}

/** For messages: the URL without its query, which may contain a signature. */
export const printable = (url: URL): string => `${url.origin}${url.pathname}`

/** Encodes a URN as a segment of a path. */
export const pathSegment = (urn: string): string => encodeURIComponent(urn).replaceAll('%3A', ':')

function httpUrl(text: string, argument: string): URL {
  const url = parse(text)
  if (url === undefined || !isHttp(url)) {
    throw invalid(argument, `${argument} must be a URL such as https://api.example.com, not ${show(text)}`)
  }
  // the message must not contain them
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

/** Without user name, password and fragment, which are never sent. */
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
