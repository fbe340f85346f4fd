import { S3ServiceException } from '@aws-sdk/client-s3'
import {
  connectionFault,
  IvcapError,
  type IvcapErrorCode,
  isIvcapError,
  retryAfterOf,
} from '@ivcap/core/driver'
import type { Place, Subject } from './place.js'

interface Meaning {
  readonly code: IvcapErrorCode
  /** What it is, and what to check. */
  readonly why: string
  readonly argument?: string
  readonly retryable?: boolean
}

const CREDENTIALS = 'check the access key, its secret and, if it is a temporary one, its session token'
const WRONG_KEY: Meaning = {
  code: 'unauthenticated',
  why: `the server refuses these credentials: ${CREDENTIALS}`,
}
const BUSY: Meaning = {
  code: 'rate-limited',
  why: 'the server is busy and asks to slow down: do less at once, or try again later',
}
const PASSING: Meaning = { code: 'unavailable', why: 'the server failed: try again', retryable: true }
const DENIED: Meaning = {
  code: 'permission-denied',
  why: 'the server does not allow it: check the credentials, and the policies of their user and of the bucket',
}
/** The server lacks what was asked for: the next attempt would meet the same. */
const NOT_IMPLEMENTED: Meaning = {
  code: 'unsupported',
  why: 'the server does not implement what this needs: use a server that does',
}
const UNCONDITIONAL: Meaning = {
  code: 'unsupported',
  why: 'the server does not support conditional writes (If-None-Match: *), by which one of several writers wins: use a server that does, such as AWS or a newer version of this one',
}
const WRONG_REGION: Meaning = {
  code: 'invalid-argument',
  why: 'the bucket is in another region, or at another endpoint: check region and endpoint',
  argument: 'region',
}
/** Nothing was stored. */
const ALTERED: Meaning = {
  code: 'integrity',
  why: 'bytes changed on their way to the server: upload it again',
  retryable: true,
}
const MISSING: Meaning = { code: 'not-found', why: 'there is no such blob' }

/** By the server's name for it. */
/** The SDK corrects its clock by the Date of the response, so that the next attempt succeeds. */
const WRONG_CLOCK: Meaning = {
  code: 'unauthenticated',
  why: "this machine's clock differs from the server's by too much: set it",
  retryable: true,
}

const ERRORS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: MISSING,
  NotFound: MISSING,
  NoSuchUpload: {
    code: 'unavailable',
    why: 'somebody has ended this upload: upload it again',
    retryable: false,
  },
  // not `not-found`: that is what a blob may be
  NoSuchBucket: {
    code: 'invalid-argument',
    why: 'there is no such bucket: check its name, the endpoint and the account of the credentials, or create it',
    argument: 'bucket',
  },
  InvalidBucketName: {
    code: 'invalid-argument',
    why: 'no bucket can have this name: check it',
    argument: 'bucket',
  },
  InvalidAccessKeyId: WRONG_KEY,
  SignatureDoesNotMatch: WRONG_KEY,
  InvalidToken: WRONG_KEY,
  ExpiredToken: { code: 'unauthenticated', why: 'the credentials have expired: get new ones' },
  RequestTimeTooSkewed: WRONG_CLOCK,
  AccessDenied: DENIED,
  Forbidden: DENIED,
  AllAccessDisabled: DENIED,
  PermanentRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  NotImplemented: NOT_IMPLEMENTED,
  PreconditionFailed: { code: 'precondition-failed', why: 'it is not what it was expected to be' },
  XAmzContentSHA256Mismatch: ALTERED,
  BadDigest: ALTERED,
  // two conditional writes at once: either may win
  ConditionalRequestConflict: PASSING,
  OperationAborted: PASSING,
  SlowDown: BUSY,
  ServiceUnavailable: BUSY,
  Throttling: BUSY,
  ThrottlingException: BUSY,
  TooManyRequests: BUSY,
  RequestTimeout: PASSING,
  QuotaExceeded: {
    code: 'unavailable',
    why: 'the quota is used up: free some space, or raise it',
    retryable: false,
  },
  EntityTooLarge: {
    code: 'invalid-argument',
    why: 'it is larger than the server takes',
    argument: 'content',
  },
  CredentialsProviderError: {
    code: 'unauthenticated',
    why: 'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give credentials',
  },
  TimeoutError: { code: 'unavailable', why: 'the server did not answer in time: check endpoint and network' },
}

const CHECK = 'check endpoint and network'

/** Errors of requests that the server never got. */
const unsent = new WeakSet<IvcapError>()

/** What a failed request means to the caller. No header, token or signature gets into it. */
export function explain(error: unknown, subject: Subject, place: Place): IvcapError {
  if (isIvcapError(error)) return error
  const status = statusOf(error)
  const fault = status === undefined ? connectionFault(error) : undefined
  const meaning = fault ? { ...fault, why: `${fault.why}: ${CHECK}` } : meaningOf(error, status, subject)
  const { code, why, argument, retryable } = meaning
  const { doing, key, action } = subject
  const what = key === undefined ? doing : `${doing} ${key}`
  const said = [textIn(error, 'code') ?? nameOf(error), status].filter((part) => part !== undefined).join(' ')
  const needed = code === 'permission-denied' && action !== undefined ? `; ${permissionFor(action)}` : ''
  const retryAfter = retryAfterIn(error)
  const explained = new IvcapError(
    code,
    `can't ${what} in ${place.uri} (${place.server}): ${why}${needed} [${said}]`,
    {
      resource: key ?? place.uri,
      cause: causeOf(error),
      ...(argument !== undefined && { argument }),
      ...(retryable !== undefined && { retryable }),
      ...(status !== undefined && { status }),
      ...(retryAfter !== undefined && { retryAfter }),
    },
  )
  if (fault?.unsent) unsent.add(explained)
  return explained
}

/** Without permission to list, S3 answers a read of an absent key as a read that is not allowed. */
function permissionFor(action: string): string {
  const needed = `it needs the permission ${action}`
  if (action !== 's3:GetObject') return needed
  return `${needed}, and s3:ListBucket, without which the server says the same of a key that is absent`
}

function meaningOf(error: unknown, status: number | undefined, { conditional }: Subject): Meaning {
  const name = nameOf(error)
  if (conditional && (status === 501 || name === 'NotImplemented')) return UNCONDITIONAL
  // a response to HEAD has no body, so that it does not name the error
  if (metadataOf(error, 'clockSkewCorrected') === true) return WRONG_CLOCK
  const known = ERRORS[name]
  if (known !== undefined) return known
  if (error instanceof Error && /region is missing/i.test(error.message)) {
    return {
      code: 'invalid-argument',
      why: 'no region was found: give region, or set AWS_REGION',
      argument: 'region',
    }
  }
  return byStatus(status)
}

function byStatus(status: number | undefined): Meaning {
  if (status === 301 || status === 307) return WRONG_REGION
  if (status === 401) return WRONG_KEY
  if (status === 403) return DENIED
  if (status === 404) return MISSING
  if (status === 408 || status === 409) return PASSING
  if (status === 412) return { code: 'precondition-failed', why: 'it is not what it was expected to be' }
  if (status === 429 || status === 503) return BUSY
  if (status === 501) return NOT_IMPLEMENTED
  if (status !== undefined && status >= 500) return PASSING
  if (status === 200) return { code: 'protocol', why: 'the answer is not one of S3: check the endpoint' }
  return { code: 'unknown', why: 'the server refused' }
}

function statusOf(error: unknown): number | undefined {
  const status = metadataOf(error, 'httpStatusCode')
  return typeof status === 'number' ? status : undefined
}

function metadataOf(error: unknown, field: string): unknown {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata: unknown = error.$metadata
  return typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, field) : undefined
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Error')

function textIn(error: unknown, field: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const value: unknown = Reflect.get(error, field)
  return typeof value === 'string' ? value : undefined
}

/** Milliseconds that the answer asks to wait. */
function retryAfterIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$response' in error)) return undefined
  const response: unknown = error.$response
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined
  return retryAfterOf(textIn(response.headers, 'retry-after'))
}

/** The SDK's errors hold the request that failed, session token included: name and words are enough. */
function causeOf(error: unknown): unknown {
  const answered = error instanceof S3ServiceException || (error instanceof Error && '$response' in error)
  if (!answered) return error
  const plain = new Error(error.message.slice(0, 500))
  plain.name = error.name
  return plain
}

/** Whether a request may have been carried out although it failed. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (!isIvcapError(error)) return true
  // it tells of the first of several attempts alone
  if (error.attempts !== undefined && error.attempts > 1) return true
  return !unsent.has(error) && ['unavailable', 'protocol', 'unknown'].includes(error.code)
}
