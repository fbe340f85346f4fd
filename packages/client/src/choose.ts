import { IvcapError } from '@ivcap/core'

/** A JWT, or a function that gives one: asked for each request, and once more after a 401. */
export type Token = string | (() => string | Promise<string>)

export interface Place {
  /** A deployment (`https://…`), or a backend: `memory:`, `file:./dir`, `s3://bucket/prefix`, `gs://bucket/prefix`. */
  readonly url?: string | undefined
  readonly token?: Token | undefined
}

/** What was chosen, and why, in words for the debug line. */
export type Choice = { readonly why: string } & (
  | { readonly kind: 'platform'; readonly url: string; readonly token?: Token; readonly account?: string }
  | { readonly kind: 'local'; readonly baseDir: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 's3' | 'gcs'; readonly bucket: string; readonly prefix?: string }
)

/** The environment variables that count; an empty one is unset. */
export const VARIABLES = [
  'IVCAP_BASE_URL',
  'IVCAP_URL',
  'IVCAP_JWT',
  'IVCAP_ACCOUNT_ID',
  'IVCAP_LOCAL_DIR',
] as const
export type Environment = { readonly [name in (typeof VARIABLES)[number]]?: string | undefined }

/** Where artifacts go when nothing says otherwise; the same folder as the Python client's. */
export const LOCAL_DIR = 'ivcap-artifacts'

/**
 * In order: an explicit url, `IVCAP_BASE_URL` (inside the cluster: no token needed), `IVCAP_URL` (needs a token), a local
 * folder.
 *
 * @throws IvcapError `invalid-argument` for a token without any url, a deployment outside without a token, a url that is none
 */
export function choose({ url, token }: Place, env: Environment): Choice {
  if (url !== undefined) return fromUrl(url, token, env)
  const account = env.IVCAP_ACCOUNT_ID ? { account: env.IVCAP_ACCOUNT_ID } : {}
  if (env.IVCAP_BASE_URL) {
    const why = 'IVCAP_BASE_URL is set: inside the cluster'
    return {
      kind: 'platform',
      url: deployment(env.IVCAP_BASE_URL, 'IVCAP_BASE_URL'),
      ...(token && { token }),
      ...account,
      why,
    }
  }
  if (env.IVCAP_URL) {
    const outside = deployment(env.IVCAP_URL, 'IVCAP_URL')
    return {
      kind: 'platform',
      url: outside,
      token: requireToken(token, env, 'IVCAP_URL'),
      ...account,
      why: 'IVCAP_URL is set',
    }
  }
  if (token !== undefined) {
    throw invalid('token', 'a token is given, but no deployment: give url too, or set IVCAP_URL')
  }
  const why = env.IVCAP_LOCAL_DIR ? 'IVCAP_LOCAL_DIR is set' : 'no deployment is named: a local folder'
  return { kind: 'local', baseDir: env.IVCAP_LOCAL_DIR || LOCAL_DIR, why }
}

function fromUrl(url: string, token: Token | undefined, env: Environment): Choice {
  const why = 'url was given'
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === 'http' || scheme === 'https') {
    const account = env.IVCAP_ACCOUNT_ID ? { account: env.IVCAP_ACCOUNT_ID } : {}
    const place = deployment(url, 'url')
    const inside =
      env.IVCAP_BASE_URL !== undefined && env.IVCAP_BASE_URL !== '' && sameUrl(place, env.IVCAP_BASE_URL)
    if (inside && token === undefined) return { kind: 'platform', url: place, ...account, why }
    return { kind: 'platform', url: place, token: requireToken(token, env, 'url'), ...account, why }
  }
  if (token !== undefined) throw invalid('token', `a token is given, but ${url} takes none: leave it out`)
  if (scheme === 'memory') return { kind: 'memory', why }
  if (scheme === 'file') return { kind: 'local', baseDir: folderOf(url), why }
  if (scheme === 's3') return { kind: 's3', ...bucketOf(url), why }
  if (scheme === 'gs') return { kind: 'gcs', ...bucketOf(url), why }
  const known = 'https://…, memory:, file:./dir, s3://bucket/prefix or gs://bucket/prefix'
  throw invalid('url', `url must be ${known}, not ${JSON.stringify(url)}`)
}

function requireToken(token: Token | undefined, env: Environment, source: string): Token {
  const found = token || env.IVCAP_JWT
  if (found) return found
  throw invalid('token', `${source} names a deployment, but there is no token: give token, or set IVCAP_JWT`)
}

function deployment(url: string, argument: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw invalid(
      argument,
      `${argument} must be a URL such as https://api.example.com, not ${JSON.stringify(url)}`,
    )
  }
  // the message must not repeat it
  if (parsed.username || parsed.password) {
    throw invalid(
      argument,
      `${argument} (host ${parsed.host}) has a user name or password in it: use token instead`,
    )
  }
  return url
}

const sameUrl = (a: string, b: string): boolean => a.replace(/\/+$/, '') === b.replace(/\/+$/, '')

/** `file:///abs/path` (percent-encoded, as URLs are), or `file:./dir` and `file:dir` as written. */
function folderOf(url: string): string {
  const rest = url.slice('file:'.length)
  const path = rest.startsWith('//') ? pathOf(url) : rest
  if (path === '') throw invalid('url', 'url names no folder: file:./dir or file:///abs/dir')
  return path
}

function pathOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.host !== '') {
    throw invalid('url', `url must be file:./dir or file:///abs/dir, not ${JSON.stringify(url)}`)
  }
  const path = decodeURIComponent(parsed.pathname)
  return /^\/[a-z]:\//i.test(path) ? path.slice(1) : path
}

function bucketOf(url: string): { bucket: string; prefix?: string } {
  const match = /^\w+:\/\/([^/?#]+)\/?([^?#]*)$/.exec(url)
  const [, bucket, rest = ''] = match ?? []
  if (bucket === undefined)
    throw invalid('url', `url must name a bucket, as in s3://bucket/prefix, not ${JSON.stringify(url)}`)
  const prefix = rest.replace(/\/+$/, '')
  return { bucket, ...(prefix !== '' && { prefix }) }
}

function invalid(argument: string, message: string): IvcapError {
  return new IvcapError('invalid-argument', `connect: ${message}`, { operation: 'connect', argument })
}
