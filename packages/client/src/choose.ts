import { invalid, isLoopback, parseBaseDir, parseDeployment, parsePlace, type UrlPlace } from './places.js'

/** A JWT, or a function that returns one. The function is called for each request, and once more after a 401. */
export type Token = string | (() => string | Promise<string>)

export interface Place {
  /** A deployment (`https://…`), or a backend: `memory:`, `file:./dir`, `s3://bucket/prefix`, `gs://bucket/prefix`. */
  readonly url?: string | URL | undefined
  /** A local folder, regardless of the environment. Must not be combined with `url`. */
  readonly baseDir?: string | URL | undefined
  /** For a deployment. A deployment on this machine (`localhost`, `127.0.0.1`, `[::1]`) may be open, and then needs no token. */
  readonly token?: Token | undefined
}

/** The chosen backend, and the reason in words, for the debug log. */
export type Choice = { readonly why: string } & (
  | { readonly kind: 'platform'; readonly url: string; readonly token?: Token; readonly account?: string }
  | Exclude<UrlPlace, { readonly kind: 'platform' }>
)

/** The environment variables that are used. An empty one counts as unset. */
export const VARIABLES = [
  'IVCAP_BASE_URL',
  'IVCAP_URL',
  'IVCAP_JWT',
  'IVCAP_ACCOUNT_ID',
  'IVCAP_LOCAL_DIR',
] as const
export type Environment = { readonly [name in (typeof VARIABLES)[number]]?: string | undefined }

/** The default folder for artifacts, the same as that of the Python client. */
export const LOCAL_DIR = 'ivcap-artifacts'

/**
 * Chooses the backend, in this order: an explicit `url` or `baseDir`, `IVCAP_BASE_URL` (inside the cluster: needs no token),
 * `IVCAP_URL` (needs a token), a local folder.
 *
 * @throws IvcapError `invalid-argument` if there is a token but no deployment, if a deployment outside has no token, or if a url
 * is not valid
 */
export function choose({ url, baseDir, token }: Place, env: Environment): Choice {
  if (url !== undefined && baseDir !== undefined)
    throw invalid('baseDir', 'url and baseDir are both given: each names a place, give one of them')
  if (url !== undefined) return fromUrl(parsePlace(url), token, env)
  if (baseDir !== undefined) {
    const folder = parseBaseDir(baseDir, 'connect')
    if (token !== undefined)
      throw invalid('token', 'a token is given, but a local folder takes none: leave it out')
    return { kind: 'local', baseDir: folder, why: 'baseDir was given' }
  }
  const account = env.IVCAP_ACCOUNT_ID ? { account: env.IVCAP_ACCOUNT_ID } : {}
  if (env.IVCAP_BASE_URL) {
    const why = 'IVCAP_BASE_URL is set: inside the cluster'
    const inside = parseDeployment(env.IVCAP_BASE_URL, 'IVCAP_BASE_URL')
    return { kind: 'platform', url: inside, ...(token !== undefined && { token }), ...account, why }
  }
  if (env.IVCAP_URL) {
    const outside = parseDeployment(env.IVCAP_URL, 'IVCAP_URL')
    const why = 'IVCAP_URL is set'
    return { kind: 'platform', url: outside, ...tokenFor(outside, token, env, 'IVCAP_URL'), ...account, why }
  }
  if (token !== undefined) {
    throw invalid('token', 'a token is given, but no deployment: give url too, or set IVCAP_URL')
  }
  const why = env.IVCAP_LOCAL_DIR ? 'IVCAP_LOCAL_DIR is set' : 'no deployment is named: a local folder'
  return { kind: 'local', baseDir: env.IVCAP_LOCAL_DIR || LOCAL_DIR, why }
}

function fromUrl(place: UrlPlace, token: Token | undefined, env: Environment): Choice {
  const why = 'url was given'
  if (place.kind !== 'platform') {
    if (token === undefined) return { ...place, why }
    throw invalid(
      'token',
      `a token is given, but url names a ${place.kind} place, which takes none: leave it out`,
    )
  }
  const account = env.IVCAP_ACCOUNT_ID ? { account: env.IVCAP_ACCOUNT_ID } : {}
  const isInside =
    env.IVCAP_BASE_URL !== undefined && env.IVCAP_BASE_URL !== '' && sameUrl(place.url, env.IVCAP_BASE_URL)
  if (isInside && token === undefined) return { ...place, ...account, why }
  return { ...place, ...tokenFor(place.url, token, env, 'url'), ...account, why }
}

/** A deployment on this machine may be open. All others require a token. */
function tokenFor(
  url: string,
  token: Token | undefined,
  env: Environment,
  source: string,
): { readonly token?: Token } {
  const given = token ?? (env.IVCAP_JWT || undefined)
  if (given !== undefined) return { token: given }
  if (isLoopback(url)) return {}
  throw invalid('token', `${source} names a deployment, but there is no token: give token, or set IVCAP_JWT`)
}

const sameUrl = (a: string, b: string): boolean => a.replace(/\/+$/, '') === b.replace(/\/+$/, '')
