import { IvcapError, type IvcapErrorCode, isIvcapError } from '@ivcap/core/driver'
import { plainText } from '@ivcap/core/internal'
import * as v from 'valibot'
import type { Credentials } from './credentials.js'
import type { Reply } from './reply.js'
import { NotHttp, StaleConnection } from './transport/types.js'
import { shown } from './urls.js'

/** What was asked, for messages. */
export interface Asked {
  readonly method: string
  readonly url: URL
  /** The URN that it is about. */
  readonly resource?: string
}

/** Characters of a body that a message may show. */
const EXCERPT = 500
/** Bytes of an error's body that are looked at. */
const LOOKED_AT = 16 << 10
/** Milliseconds. A server that asks for a longer pause is not waited for: the error tells its `retryAfter`. */
const LONGEST_WAIT = 5 * 60_000

const CODES: Readonly<Record<number, IvcapErrorCode>> = {
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
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

const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** Arguments by the name of the query parameter that a server complains of. */
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

/** The error that a reply stands for that isn't 2xx; reads its body. */
export async function replyFailure(
  reply: Reply,
  asked: Asked,
  credentials: Credentials,
): Promise<IvcapError> {
  const text = credentials.redact(await reply.excerpt(LOOKED_AT).catch(() => ''))
  const body = v.safeParse(Body, parseJson(text))
  const { message, name } = body.success ? body.output : { message: undefined, name: undefined }
  const said = message ?? excerpt(text)
  const { status } = reply
  const code = CODES[status] ?? (status >= 300 && status < 400 ? 'protocol' : 'unknown')
  const retryAfter = retryAfterOf(reply)
  const inTime = retryAfter === undefined || retryAfter <= LONGEST_WAIT
  const parts = [
    `${what(asked)} was answered with ${status}${said === '' ? '' : `: ${cut(said)}`}`,
    ...(REMEDIES[code] === undefined ? [] : [REMEDIES[code]]),
    ...(inTime ? [] : [`retry after ${Math.ceil(retryAfter / 1000)} s`]),
  ]
  return new IvcapError(code, parts.join('; '), {
    status,
    retryable: RETRYABLE.has(status) && inTime,
    ...(name !== undefined && { argument: ARGUMENTS.get(name) ?? plainText(cut(name)) }),
    ...(status === 416 && name === undefined && { argument: 'range' }),
    ...(asked.resource !== undefined && { resource: asked.resource }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** Errors whose request never reached the server: repeating it is always safe. */
const unsent = new WeakSet<IvcapError>()
const NEVER_CONNECTED = /^(EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** Errors of a connection that was kept open and broke before any byte of the answer. */
const stale = new WeakSet<object>()
/** See `StaleConnection`. */
export const isStale = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && stale.has(error)

interface Fault {
  readonly code?: IvcapErrorCode
  /** Whether the request can't have reached the server, and whether another attempt may. */
  readonly unsent: boolean
  readonly retryable: boolean
  readonly reason: (asked: Asked) => string
  readonly remedy: string
}

/** By the system's code; the first that matches. */
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
      reason: ({ url }) => `the certificate that ${url.host} shows is for other host names`,
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
      reason: ({ url }) => `no encrypted connection to ${url.host} could be made`,
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

/** The error for a connection that could not be made, or broke. */
export function connectionFailure(cause: unknown, asked: Asked): IvcapError {
  if (isIvcapError(cause)) return cause
  if (cause instanceof NotHttp) return protocolFailure(asked, cause.message)
  const code = systemCode(cause)
  const fault = code === undefined ? undefined : FAULTS.find(([pattern]) => pattern.test(code))?.[1]
  const problem = cause instanceof StaleConnection ? cause.cause : cause
  const text = code ?? (problem instanceof Error ? problem.message : String(problem))
  const message =
    fault === undefined
      ? `${what(asked)} failed: no answer, or half of one, came back (${cut(text)}); ${remedy(asked, globalThis)}`
      : `${what(asked)} failed: ${fault.reason(asked)} (${cut(text)}); ${fault.remedy}`
  const error = new IvcapError(fault?.code ?? 'unavailable', message, {
    ...subject(asked),
    retryable: fault?.retryable ?? true,
    cause: problem,
  })
  if (fault?.unsent === true || (code !== undefined && NEVER_CONNECTED.test(code))) unsent.add(error)
  if (cause instanceof StaleConnection) stale.add(error)
  return error
}

/** A browser hides from the page why it got no answer; often it is that it is not allowed to show one. */
function remedy(
  { url }: Asked,
  web: { readonly fetch: unknown; readonly location?: { readonly origin: string } },
) {
  const origin = web.location?.origin
  if (origin === undefined || origin === url.origin) return 'check the network and the url'
  return `check the network and the url, and whether the deployment lets pages of ${origin} call it (CORS)`
}

export function timeoutFailure(asked: Asked, ms: number): IvcapError {
  const message = `${what(asked)} was given up: nothing moved for ${ms} ms; check the network, or allow it longer`
  return new IvcapError('timeout', message, { ...subject(asked), retryable: true })
}

/** The token function has not answered: asking it again would take as long. */
export function tokenTimeout(asked: Asked, ms: number): IvcapError {
  const message = `${what(asked)} was not sent: the token function has not answered for ${ms} ms`
  const error = new IvcapError('timeout', message, { ...subject(asked), argument: 'token', retryable: false })
  unsent.add(error)
  return error
}

/** A redirect that is not followed. Nothing was carried out: a server that redirects has done nothing. */
export function refusedRedirect(asked: Asked, problem: string): IvcapError {
  const error = protocolFailure(asked, problem)
  unsent.add(error)
  return error
}

/** What came back isn't what the contract says. `retryable`: it may have been cut off. */
export function protocolFailure(asked: Asked, problem: string, text = '', retryable = false): IvcapError {
  const shownText = excerpt(text)
  const message = `${what(asked)} was answered with ${problem}${shownText === '' ? '' : `: ${shownText}`}`
  return new IvcapError('protocol', message, { ...subject(asked), retryable })
}

/** The record, if it is that of the id that was asked for. @throws IvcapError `protocol` */
export function expectId<T extends { readonly id: string }>(asked: Asked, id: string, record: T): T {
  // uuids are the same in either case
  if (record.id.toLowerCase() === id.toLowerCase()) return record
  throw protocolFailure(asked, `the record of another id: ${cut(record.id)}`)
}

/** Whether the server may have done what it was asked although the call failed: then it must not be asked again blindly. */
export function mayHaveHappened(error: IvcapError): boolean {
  if (unsent.has(error)) return false
  if (error.status === undefined) return error.retryable || error.code === 'protocol'
  return error.status === 500 || error.status === 502 || error.status === 504
}

function what({ method, url, resource }: Asked): string {
  const about = resource === undefined || shown(url).includes(resource) ? '' : ` (${resource})`
  return `${method} ${shown(url)}${about}`
}

function subject({ resource }: Asked): { resource?: string } {
  return resource === undefined ? {} : { resource }
}

/** Node's fetch keeps the system's error in a cause, sometimes several of them there. */
function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code
    at = 'cause' in at ? at.cause : undefined
  }
  return undefined
}

/** Milliseconds; the header holds seconds or a date. Anything else is ignored; never more than a number can hold exactly. */
function retryAfterOf({ headers }: Reply): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), Number.MAX_SAFE_INTEGER)
  // a date names its month; Date.parse would also take "-5" for one
  const at = /[a-z]{3}|^\d{4}-\d{2}-\d{2}/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** One line. */
function excerpt(text: string): string {
  return cut(text.replace(/\s+/g, ' ').trim())
}

function cut(text: string): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
