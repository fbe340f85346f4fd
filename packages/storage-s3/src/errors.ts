import { S3ServiceException } from '@aws-sdk/client-s3'
import { omitUndefined } from '@ivcap/core/driver'
import { retryAfterOf } from '@ivcap/core/internal'
import {
  ALTERED,
  BUSY,
  CHANGED,
  connectionMapping,
  type ErrorContext,
  type ErrorMapping,
  FAILED,
  INVALID_BUCKET_NAME,
  MISSING,
  missingBucket,
  NOT_IMPLEMENTED,
  statusMapping,
  unconditional,
} from '@ivcap/storage-common'

export const BUCKET_REMEDY = 'check its name, the endpoint and the account of the credentials, or create it'

const CREDENTIALS = 'check the access key, its secret and, if it is a temporary one, its session token'
const WRONG_KEY: ErrorMapping = {
  code: 'unauthenticated',
  why: `the server refuses these credentials: ${CREDENTIALS}`,
}
const DENIED: ErrorMapping = {
  code: 'permission-denied',
  why: 'the server does not allow it: check the credentials, and the policies of their user and of the bucket',
}
const WRONG_CLOCK: ErrorMapping = {
  code: 'unauthenticated',
  why: "this machine's clock differs from the server's by too much: set it",
  // the SDK has learned the difference from the response
  retryable: true,
}
const WRONG_REGION: ErrorMapping = {
  code: 'invalid-argument',
  why: 'the bucket is in another region, or at another endpoint: check region and endpoint',
  argument: 'region',
}

/** By the server's name for the error: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const ERRORS: Readonly<Record<string, ErrorMapping>> = {
  NoSuchKey: { ...MISSING, bucketExists: true },
  NotFound: MISSING,
  NoSuchUpload: {
    code: 'unavailable',
    why: 'another program has ended this upload: upload it again',
    retryable: false,
  },
  NoSuchBucket: missingBucket(BUCKET_REMEDY),
  InvalidBucketName: INVALID_BUCKET_NAME,
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
  PreconditionFailed: CHANGED,
  XAmzContentSHA256Mismatch: ALTERED,
  BadDigest: ALTERED,
  // two conditional writes at once: either may win
  ConditionalRequestConflict: FAILED,
  OperationAborted: FAILED,
  SlowDown: BUSY,
  ServiceUnavailable: BUSY,
  Throttling: BUSY,
  ThrottlingException: BUSY,
  TooManyRequests: BUSY,
  RequestTimeout: FAILED,
  InternalError: FAILED,
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

const BY_STATUS: Readonly<Record<number, ErrorMapping>> = {
  200: { code: 'protocol', why: 'the answer is not one of S3: check the endpoint' },
  301: WRONG_REGION,
  307: WRONG_REGION,
  401: WRONG_KEY,
  403: DENIED,
}

/** See `BucketDriver.classify`. */
export function classify(error: unknown, context: ErrorContext): ErrorMapping {
  const status = statusOf(error)
  const name = error instanceof Error ? error.name : 'Error'
  const connection = status === undefined ? connectionMapping(error, 'check endpoint and network') : undefined
  return omitUndefined({
    ...(connection ?? mappingOf(error, name, status, context)),
    said: [textIn(error, 'code') ?? name, status].filter((part) => part !== undefined).join(' '),
    status,
    retryAfter: retryAfterIn(error),
    cause: causeOf(error),
  })
}

function mappingOf(
  error: unknown,
  name: string,
  status: number | undefined,
  { conditional }: ErrorContext,
): ErrorMapping {
  if (conditional && (status === 501 || name === 'NotImplemented')) return unconditional('If-None-Match: *')
  // a response to HEAD has no body with the error's name
  if (clockWasWrong(error)) return WRONG_CLOCK
  const known = ERRORS[name]
  if (known !== undefined) return known
  if (error instanceof Error && /region is missing/i.test(error.message)) {
    const why = 'no region was found: give region, or set AWS_REGION'
    return { code: 'invalid-argument', why, argument: 'region' }
  }
  const byStatus = status === undefined ? undefined : (BY_STATUS[status] ?? statusMapping(status))
  return byStatus ?? { code: 'unknown', why: 'the server refused' }
}

function metadataOf(error: unknown): object {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  return typeof metadata === 'object' && metadata !== null ? metadata : {}
}

function statusOf(error: unknown): number | undefined {
  const metadata = metadataOf(error)
  if (!('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** True if the SDK has just corrected its clock by the response. */
function clockWasWrong(error: unknown): boolean {
  const metadata = metadataOf(error)
  return statusOf(error) === 403 && 'clockSkewCorrected' in metadata && metadata.clockSkewCorrected === true
}

function textIn(error: unknown, field: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const value: unknown = Reflect.get(error, field)
  return typeof value === 'string' ? value : undefined
}

/** The server's Retry-After, in milliseconds. */
function retryAfterIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$response' in error)) return undefined
  const response: unknown = error.$response
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined
  return retryAfterOf(textIn(response.headers, 'retry-after'))
}

/** The SDK's errors contain the request that failed, including the session token. Only name and message are kept. */
function causeOf(error: unknown): unknown {
  const isAnswer = error instanceof S3ServiceException || (error instanceof Error && '$response' in error)
  if (!isAnswer) return error
  const plain = new Error(error.message.slice(0, 500))
  plain.name = error.name
  return plain
}
