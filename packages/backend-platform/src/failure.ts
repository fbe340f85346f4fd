import { IvcapError, type IvcapErrorCode } from '@ivcap/core/driver'
import * as v from 'valibot'
import type { Credentials } from './credentials.js'
import type { Reply } from './reply.js'
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
/** Milliseconds; whoever is to come back later than that is told so instead of kept waiting. */
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
const ARGUMENTS: Readonly<Record<string, string>> = {
  'content-path': 'contentPath',
  'order-by': 'orderBy',
  'order-desc': 'orderDesc',
  'order-direction': 'orderDirection',
  'at-time': 'atTime',
  'include-content': 'includeContent',
  page: 'cursor',
  'X-Content-Type': 'contentType',
  'X-Content-Length': 'contentSize',
  'X-Name': 'name',
  'X-Policy': 'policy',
  'X-Collection': 'collection',
}

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
  const text = credentials.redact(await reply.text(LOOKED_AT).catch(() => ''))
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
    ...(inTime ? [] : [`it asks to be left alone for ${Math.ceil(retryAfter / 1000)} s`]),
  ]
  return new IvcapError(code, parts.join('; '), {
    status,
    retryable: RETRYABLE.has(status) && inTime,
    ...(name !== undefined && { argument: ARGUMENTS[name] ?? name }),
    ...(status === 416 && name === undefined && { argument: 'range' }),
    ...(asked.resource !== undefined && { resource: asked.resource }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** Errors whose request never reached the server: repeating it is always safe. */
const unsent = new WeakSet<IvcapError>()
const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** The error for a connection that could not be made, or broke. */
export function connectionFailure(cause: unknown, asked: Asked): IvcapError {
  const code = systemCode(cause)
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause))
  const message = `${what(asked)} failed: no answer, or half of one, came back (${cut(reason)}); ${remedy(asked, globalThis)}`
  const error = new IvcapError('unavailable', message, { ...subject(asked), retryable: true, cause })
  if (code !== undefined && NEVER_CONNECTED.test(code)) unsent.add(error)
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

/** What came back isn't what the contract says. `retryable`: it may have been cut off. */
export function protocolFailure(asked: Asked, problem: string, text = '', retryable = false): IvcapError {
  const shownText = excerpt(text)
  const message = `${what(asked)} was answered with ${problem}${shownText === '' ? '' : `: ${shownText}`}`
  return new IvcapError('protocol', message, { ...subject(asked), retryable })
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

/** Milliseconds; the header holds seconds or a date. */
function retryAfterOf({ headers }: Reply): number | undefined {
  const text = headers.get('retry-after')?.trim()
  if (text === undefined || text === '') return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
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
