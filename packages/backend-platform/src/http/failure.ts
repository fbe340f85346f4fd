import { IvcapError, type IvcapErrorCode, isIvcapError } from '@ivcap/core/driver'
import { plainText } from '@ivcap/core/internal'
import * as v from 'valibot'
import { HttpProtocolError, ProxyError, StaleConnectionError } from '../transport/types.js'
import type { Credentials } from './credentials.js'
import { printable } from './deployment.js'
import type { HttpResponse } from './response.js'

/** The request that an error is about, for messages. */
export interface ErrorContext {
  readonly method: string
  readonly url: URL
  /** The URN of the artifact, aspect, service or job. */
  readonly resource?: string
}

/** Maximum characters of a body in a message. */
const EXCERPT = 500
/** Maximum bytes of an error's body that are read. */
const MAX_ERROR_BODY = 16 << 10
/** Milliseconds. If the server asks for a longer pause, the request is not retried: the error has its `retryAfter`. */
const MAX_PAUSE = 5 * 60_000

const CODES: Readonly<Record<number, IvcapErrorCode>> = {
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  407: 'permission-denied',
  408: 'timeout',
  409: 'already-exists',
  410: 'not-found',
  411: 'protocol',
  412: 'precondition-failed',
  413: 'invalid-argument',
  414: 'invalid-argument',
  415: 'invalid-argument',
  416: 'invalid-argument',
  422: 'invalid-argument',
  424: 'ambiguous',
  429: 'rate-limited',
  431: 'invalid-argument',
  500: 'unavailable',
  501: 'unsupported',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
}

const REMEDIES: Readonly<Partial<Record<IvcapErrorCode, string>>> = {
  unauthenticated: 'the token is missing, wrong or expired: give a valid one',
  'permission-denied': 'the account of this token may not do that',
  unavailable: 'try again later',
}

const PROXY_LOGIN = 'put a valid user name and password into the URL of HTTPS_PROXY or HTTP_PROXY'
const PROXY_SETTINGS = 'check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or set proxy: false'

const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** The name of our argument for the parameter in a server's error. */
const ARGUMENTS: ReadonlyMap<string, string> = new Map([
  ['content-path', 'contentPath'],
  ['order-by', 'orderBy'],
  ['order-desc', 'orderDesc'],
  ['order-direction', 'orderDirection'],
  ['at-time', 'atTime'],
  ['include-content', 'includeContent'],
  ['page', 'cursor'],
  ['X-Content-Type', 'contentType'],
  ['X-Content-Length', 'contentSize'],
  ['X-Name', 'name'],
  ['X-Policy', 'policy'],
  ['X-Collection', 'collection'],
])

const Body = v.object({
  message: v.fallback(v.optional(v.string()), undefined),
  name: v.fallback(v.optional(v.string()), undefined),
})

/** Returns the error for a response other than 2xx. Reads its body. */
export async function responseFailure(
  response: HttpResponse,
  context: ErrorContext,
  credentials: Credentials,
): Promise<IvcapError> {
  const text = credentials.redact(await response.excerpt(MAX_ERROR_BODY).catch(() => ''))
  const body = v.safeParse(Body, parseJson(text))
  const { message, name } = body.success ? body.output : { message: undefined, name: undefined }
  const reason = message ?? excerpt(text)
  const { status } = response
  const code = CODES[status] ?? (status >= 300 && status < 400 ? 'protocol' : 'unknown')
  const retryAfter = retryAfterOf(response)
  const isSoon = retryAfter === undefined || retryAfter <= MAX_PAUSE
  const remedyFor = status === 407 ? PROXY_LOGIN : REMEDIES[code]
  const parts = [
    `${describe(context)} was answered with ${status}${reason === '' ? '' : `: ${truncate(reason)}`}`,
    ...(remedyFor === undefined ? [] : [remedyFor]),
    ...(isSoon ? [] : [`retry after ${Math.ceil(retryAfter / 1000)} s`]),
  ]
  return new IvcapError(code, parts.join('; '), {
    status,
    retryable: RETRYABLE.has(status) && isSoon,
    ...(name !== undefined && { argument: ARGUMENTS.get(name) ?? plainText(truncate(name)) }),
    ...(status === 416 && name === undefined && { argument: 'range' }),
    ...(context.resource !== undefined && { resource: context.resource }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** Errors of requests that never reached the server, and are always safe to repeat. */
const unsent = new WeakSet<IvcapError>()
const NEVER_CONNECTED = /^(EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** Errors made from a `StaleConnectionError`. */
const stale = new WeakSet<object>()
export const isStale = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && stale.has(error)

interface Fault {
  readonly code?: IvcapErrorCode
  /** True if the request can't have reached the server. */
  readonly unsent: boolean
  /** True if another attempt may succeed. */
  readonly retryable: boolean
  readonly reason: (context: ErrorContext) => string
  readonly remedy: string
}

/** By the system's error code. The first match is used. */
const FAULTS: readonly (readonly [RegExp, Fault])[] = [
  [
    /^CERT_HAS_EXPIRED$|^CERT_NOT_YET_VALID$/,
    {
      unsent: true,
      retryable: false,
      reason: ({ url }) => `the certificate of ${url.host} is expired or not valid yet`,
      remedy: "check the clock of this machine, or let the server's operator renew the certificate",
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$|^HOSTNAME_MISMATCH$/,
    {
      unsent: true,
      retryable: false,
      reason: ({ url }) => `the certificate of ${url.host} is for other host names`,
      remedy: 'check the host name in the url',
    },
  ],
  [
    /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERR_TLS_CERT)/,
    {
      unsent: true,
      retryable: false,
      reason: ({ url }) => `the certificate of ${url.host} is not trusted`,
      remedy:
        "if it is the right server, name the file with its authority's certificate in the environment variable NODE_EXTRA_CA_CERTS",
    },
  ],
  [
    /^(ERR_SSL_|EPROTO$)/,
    {
      unsent: true,
      retryable: false,
      reason: ({ url }) => `the TLS handshake with ${url.host} failed`,
      remedy: 'check whether the server speaks https at this port',
    },
  ],
  [
    /^ENOTFOUND$/,
    {
      unsent: true,
      retryable: false,
      reason: ({ url }) => `the host ${url.hostname} is not known`,
      remedy: 'check the host name in the url, and the network',
    },
  ],
  [
    /^ECONNREFUSED$/,
    {
      unsent: true,
      retryable: true,
      reason: ({ url }) => `the connection to ${url.host} was refused`,
      remedy: 'check the url, and whether the server runs',
    },
  ],
  [
    /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT)/,
    {
      code: 'protocol',
      unsent: false,
      retryable: true,
      reason: () => 'the body is not what its Content-Encoding says',
      remedy: 'check the proxies between here and the server',
    },
  ],
]

/** Returns the error for a connection that could not be made, or broke. */
export function connectionFailure(cause: unknown, context: ErrorContext): IvcapError {
  if (isIvcapError(cause)) return cause
  if (cause instanceof HttpProtocolError) return protocolFailure(context, cause.message)
  if (cause instanceof ProxyError) return proxyFailure(cause, context)
  const code = systemCode(cause)
  const fault = code === undefined ? undefined : FAULTS.find(([pattern]) => pattern.test(code))?.[1]
  const problem = cause instanceof StaleConnectionError ? cause.cause : cause
  const text = code ?? (problem instanceof Error ? problem.message : String(problem))
  const message =
    fault === undefined
      ? `${describe(context)} failed: the connection ended before the end of the response (${truncate(text)}); ${connectionRemedy(context, globalThis)}`
      : `${describe(context)} failed: ${fault.reason(context)} (${truncate(text)}); ${fault.remedy}`
  const error = new IvcapError(fault?.code ?? 'unavailable', message, {
    ...subject(context),
    retryable: fault?.retryable ?? true,
    cause: problem,
  })
  if (fault?.unsent === true || (code !== undefined && NEVER_CONNECTED.test(code))) unsent.add(error)
  if (cause instanceof StaleConnectionError) stale.add(error)
  return error
}

/** A browser does not show the page why there was no response. Often the server does not allow the page to read it. */
function connectionRemedy(
  { url }: ErrorContext,
  web: { readonly fetch: unknown; readonly location?: { readonly origin: string } },
) {
  const origin = web.location?.origin
  if (origin === undefined || origin === url.origin) return 'check the network and the url'
  return `check the network and the url, and whether the deployment lets pages of ${origin} call it (CORS)`
}

/** The request did not reach the server. The message names the proxy, but not its user name and password. */
function proxyFailure({ proxy, status, cause }: ProxyError, context: ErrorContext): IvcapError {
  const code = systemCode(cause)
  const fault = code === undefined ? undefined : FAULTS.find(([pattern]) => pattern.test(code))?.[1]
  const text = code ?? (cause instanceof Error ? cause.message : String(cause))
  const reason =
    status === undefined
      ? `the proxy ${proxy} can't be reached (${truncate(text)})`
      : `the proxy ${proxy} refused to connect (status ${status})`
  const remedy = status === 407 ? PROXY_LOGIN : PROXY_SETTINGS
  const error = new IvcapError(
    status === 407 ? 'permission-denied' : 'unavailable',
    `${describe(context)} failed: ${reason}; ${remedy}`,
    {
      ...subject(context),
      retryable: status === undefined ? (fault?.retryable ?? true) : RETRYABLE.has(status),
      ...(cause !== undefined && { cause }),
    },
  )
  unsent.add(error)
  return error
}

export function timeoutFailure(context: ErrorContext, ms: number): IvcapError {
  const message = `${describe(context)} was given up: nothing moved for ${ms} ms; check the network, or allow it longer`
  return new IvcapError('timeout', message, { ...subject(context), retryable: true })
}

/** Not retryable: the token function would take as long again. */
export function tokenTimeout(context: ErrorContext, ms: number): IvcapError {
  const message = `${describe(context)} was not sent: the token function has not answered for ${ms} ms`
  const error = new IvcapError('timeout', message, {
    ...subject(context),
    argument: 'token',
    retryable: false,
  })
  unsent.add(error)
  return error
}

/** The error for a redirect that is not followed. A server that redirects has not carried out the request. */
export function refusedRedirect(context: ErrorContext, problem: string): IvcapError {
  const error = protocolFailure(context, problem)
  unsent.add(error)
  return error
}

/** The error for a response that breaks the contract. `retryable`: the response may have been cut off. */
export function protocolFailure(
  context: ErrorContext,
  problem: string,
  text = '',
  retryable = false,
): IvcapError {
  const shownText = excerpt(text)
  const message = `${describe(context)} was answered with ${problem}${shownText === '' ? '' : `: ${shownText}`}`
  return new IvcapError('protocol', message, { ...subject(context), retryable })
}

/** Returns the record if it has this id. @throws IvcapError `protocol` */
export function assertSameId<T extends { readonly id: string }>(
  context: ErrorContext,
  id: string,
  record: T,
): T {
  // the case of a uuid has no meaning
  if (record.id.toLowerCase() === id.toLowerCase()) return record
  throw protocolFailure(context, `the record of another id: ${truncate(record.id)}`)
}

/** True if the server may have carried out the request although it failed. It must not simply be repeated then. */
export function isOutcomeUnknown(error: IvcapError): boolean {
  if (unsent.has(error)) return false
  if (error.status === undefined) return error.retryable || error.code === 'protocol'
  return error.status === 500 || error.status === 502 || error.status === 504
}

function describe({ method, url, resource }: ErrorContext): string {
  const about = resource === undefined || printable(url).includes(resource) ? '' : ` (${resource})`
  return `${method} ${printable(url)}${about}`
}

function subject({ resource }: ErrorContext): { resource?: string } {
  return resource === undefined ? {} : { resource }
}

/** Node's fetch has the system's error as a cause, sometimes several levels deep. */
function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code
    at = 'cause' in at ? at.cause : undefined
  }
  return undefined
}

/** Retry-After in milliseconds, at most the largest safe integer. It contains seconds or a date; other values are ignored. */
function retryAfterOf({ headers }: HttpResponse): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), Number.MAX_SAFE_INTEGER)
  // Date.parse also accepts "-5", which is no date: require the name of a month, or an ISO date
  const at = /[a-z]{3}|^\d{4}-\d{2}-\d{2}/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** The beginning of the text, in one line. */
function excerpt(text: string): string {
  return truncate(text.replace(/\s+/g, ' ').trim())
}

function truncate(text: string): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
