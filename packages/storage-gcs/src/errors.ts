import { IvcapError, type IvcapErrorCode, isIvcapError, isJsonObject } from '@ivcap/core/driver'
import { connectionFault, retryAfterOf, systemCode } from '@ivcap/core/internal'
import type { Place, Subject } from './place.js'
import { Unauthorized } from './token.js'
import { type Answer, header } from './transport.js'

interface Meaning {
  readonly code: IvcapErrorCode
  /** What it is, and what to check. */
  readonly why: string
  readonly argument?: string
  readonly retryable?: boolean
}

export const NO_BUCKET =
  'there is no such bucket: check its name, apiEndpoint and the project of the credentials, or create it'

const BUSY: Meaning = {
  code: 'rate-limited',
  why: 'the server is busy and asks to slow down: do less at once, or try again later',
}
const PASSING: Meaning = { code: 'unavailable', why: 'the server failed: try again', retryable: true }
const CHANGED: Meaning = { code: 'precondition-failed', why: 'it is not what it was expected to be' }

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  400: { code: 'invalid-argument', why: 'the server takes it for wrong: check bucket and key' },
  401: {
    code: 'unauthenticated',
    why: 'the server refuses these credentials: check credentials or keyFilename, and that the key is still valid',
  },
  403: {
    code: 'permission-denied',
    why: 'the server does not allow it: check the roles of the account on the bucket (Storage Object User, for one), and its billing',
  },
  404: { code: 'not-found', why: 'there is no such blob' },
  408: PASSING,
  409: PASSING,
  410: { code: 'unavailable', why: 'the upload has ended meanwhile: upload it again', retryable: false },
  412: CHANGED,
  413: {
    code: 'invalid-argument',
    why: 'it is larger than the server takes (5 TiB)',
    argument: 'content',
  },
  429: BUSY,
  501: {
    code: 'unsupported',
    why: 'the server does not implement what this needs: use a server that does',
  },
  503: BUSY,
}

const CORRUPTED: Meaning = {
  code: 'integrity',
  why: 'bytes changed on their way to the server: upload it again',
  retryable: true,
}

const CHECK = 'check apiEndpoint and network'
const UNCONDITIONAL: Meaning = {
  code: 'unsupported',
  why: 'the server does not support conditional writes (ifGenerationMatch), by which one of several writers wins: use a server that does',
}
const NO_TOKEN_SERVER = 'the server that gives tokens for these credentials cannot be reached'

/** Errors of requests that the server never got. */
const unsent = new WeakSet<IvcapError>()

const WRONG_CLOCK =
  "this machine's clock differs from that of the server that gives tokens by too much: set it"
const NO_TOKEN =
  'no credentials were found, or they are refused: set GOOGLE_APPLICATION_CREDENTIALS, log in by gcloud, or give credentials or keyFilename'

/** What an answer that refuses means. Reads its body. */
export async function refusal(answer: Answer, subject: Subject, place: Place): Promise<IvcapError> {
  const { statusCode: status = 0 } = answer
  const { message, reason } = toldBy(await textOf(answer))
  const { why, code, ...details } = meaningOf(status, message, reason, subject)
  const said = [status, reason, message.slice(0, 300)].filter(Boolean).join(', ')
  const retryAfter = retryAfterOf(header(answer, 'retry-after'))
  const needed =
    code === 'permission-denied' && subject.action !== undefined ? `; ${permissionFor(subject.action)}` : ''
  return new IvcapError(code, `${failed(subject, place)}: ${why}${needed} [${said}]`, {
    ...details,
    status,
    resource: subject.key ?? place.uri,
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** Without permission to list, Google answers a read of an absent blob as a read that is not allowed. */
function permissionFor(action: string): string {
  const needed = `it needs the permission ${action}`
  if (action !== 'storage.objects.get') return needed
  return `${needed}, and storage.objects.list, without which the server says the same of a blob that is absent`
}

function meaningOf(status: number, message: string, reason: string, { conditional }: Subject): Meaning {
  if (status === 501 && conditional) return UNCONDITIONAL
  if (status === 404 && /bucket does not exist/i.test(message)) {
    return { code: 'invalid-argument', why: NO_BUCKET, argument: 'bucket' }
  }
  if (status === 400 && /bucket name/i.test(message)) {
    return { code: 'invalid-argument', why: 'no bucket can have this name: check it', argument: 'bucket' }
  }
  if (status === 400 && /match calculated/i.test(message)) return CORRUPTED
  if (status === 403 && /ratelimit|quota/i.test(reason)) return BUSY
  const known = BY_STATUS[status]
  if (known !== undefined) return known
  if (status >= 500) return PASSING
  return { code: 'protocol', why: 'the answer is not one of Google Cloud Storage: check apiEndpoint' }
}

/** What a request without an answer means to the caller; the request itself, a token in it, is no part of that. */
export function explain(error: unknown, subject: Subject, place: Place): IvcapError {
  if (isIvcapError(error)) return error
  const unauthorized = error instanceof Unauthorized
  const cause = unauthorized ? error.cause : error
  const fault = connectionFault(cause)
  // a key file that can't be read, or holds no key, has codes, too
  if (unauthorized && !(fault?.unsent || systemCode(cause) === 'ETIMEDOUT')) {
    const why = cause instanceof Error && /reasonable timeframe/.test(cause.message) ? WRONG_CLOCK : NO_TOKEN
    return new IvcapError('unauthenticated', `${failed(subject, place)}: ${why}`, {
      cause: plain(cause),
    })
  }
  const { code, why, retryable } = fault ?? BROKEN
  const what = unauthorized ? `${NO_TOKEN_SERVER} (${why}): check the network` : `${why}: ${CHECK}`
  const said = systemCode(cause) ?? (cause instanceof Error ? cause.name : 'Error')
  const explained = new IvcapError(code, `${failed(subject, place)}: ${what} [${said}]`, {
    retryable,
    resource: subject.key ?? place.uri,
    cause: plain(cause),
  })
  if (unauthorized || fault?.unsent) unsent.add(explained)
  return explained
}

const BROKEN = { code: 'unavailable', why: 'the connection broke', retryable: true } as const

const failed = ({ doing, key }: Subject, { uri, server }: Place): string =>
  `can't ${key === undefined ? doing : `${doing} ${key}`} in ${uri} (${server})`

/** Enough of an error's body; more than that tells nobody anything. */
const MOST_TOLD = 100_000

export async function textOf(answer: Answer, most = MOST_TOLD): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer) {
    const bytes: Uint8Array = part
    size += bytes.byteLength
    if (size > most) break
    parts.push(bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

function toldBy(text: string): { readonly message: string; readonly reason: string } {
  const told = parsed(text)
  const error = isJsonObject(told) ? told['error'] : undefined
  if (!isJsonObject(error)) return { message: '', reason: '' }
  const [first] = Array.isArray(error['errors']) ? error['errors'] : []
  return { message: textIn(error, 'message') ?? '', reason: textIn(first, 'reason') ?? '' }
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function textIn(value: unknown, field: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found: unknown = Reflect.get(value, field)
  return typeof found === 'string' ? found : undefined
}

/** The library's errors hold requests with tokens in them: name and words are enough. */
function plain(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const words = new Error(message.slice(0, 500).replace(/\?\S*/g, '?…'))
  words.name = name
  return words
}

/** Whether a request may have been carried out although it failed. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (!isIvcapError(error)) return true
  // it tells of the first of several attempts alone
  if (error.attempts !== undefined && error.attempts > 1) return true
  return !unsent.has(error) && ['unavailable', 'protocol', 'unknown'].includes(error.code)
}
