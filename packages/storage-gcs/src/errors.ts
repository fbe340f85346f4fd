import { isJsonObject, omitUndefined } from '@ivcap/core/driver'
import { connectionFault, retryAfterOf, systemCode } from '@ivcap/core/internal'
import {
  ALTERED,
  BUSY,
  connectionMapping,
  type ErrorContext,
  type ErrorMapping,
  INVALID_BUCKET_NAME,
  missingBucket,
  statusMapping,
  unconditional,
} from '@ivcap/storage-common'
import { NoTokenError } from './connection.js'
import { type HttpResponse, header, parseObject, readText } from './transport.js'

export const BUCKET_REMEDY = 'check its name, apiEndpoint and the project of the credentials, or create it'
const CHECK = 'check apiEndpoint and network'

const BY_STATUS: Readonly<Record<number, ErrorMapping>> = {
  400: { code: 'invalid-argument', why: 'the server calls the request wrong: check bucket and key' },
  401: {
    code: 'unauthenticated',
    why: 'the server refuses these credentials: check credentials or keyFilename, and that the key is still valid',
  },
  403: {
    code: 'permission-denied',
    why: 'the server does not allow it: check the roles of the account on the bucket (Storage Object User, for one), and its billing',
  },
  410: { code: 'unavailable', why: 'the upload has ended meanwhile: upload it again', retryable: false },
  413: {
    code: 'invalid-argument',
    why: 'it is larger than the server takes (5 TiB)',
    argument: 'content',
  },
}
const NO_GCS: ErrorMapping = {
  code: 'protocol',
  why: 'the answer is not one of Google Cloud Storage: check apiEndpoint',
}
const BROKEN: ErrorMapping = { code: 'unavailable', why: `the connection broke: ${CHECK}`, retryable: true }
const WRONG_CLOCK =
  "this machine's clock differs from that of the server that gives tokens by too much: set it"
const NO_TOKEN =
  'no credentials were found, or they are refused: set GOOGLE_APPLICATION_CREDENTIALS, log in by gcloud, or give credentials or keyFilename'

/** A response with a status that the request did not expect. */
class RefusedError extends Error {
  readonly status: number
  /** Google's short name for the error. */
  readonly reason: string
  readonly retryAfter: number | undefined

  constructor(status: number, reason: string, message: string, retryAfter: number | undefined) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

/** Maximum bytes of an error's body that are read. */
const LONGEST_ERROR = 100_000

/** Returns the error for a response. Reads its body. */
export async function refusedError(response: HttpResponse): Promise<RefusedError> {
  const error = parseObject(await readText(response, LONGEST_ERROR))?.['error']
  const { errors, message } = isJsonObject(error) ? error : {}
  const [first] = Array.isArray(errors) ? errors : []
  const reason = isJsonObject(first) ? first['reason'] : ''
  const retryAfter = retryAfterOf(header(response, 'retry-after'))
  return new RefusedError(response.statusCode ?? 0, textOf(reason), textOf(message), retryAfter)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** See `BucketDriver.classify`. */
export function classify(error: unknown, context: ErrorContext): ErrorMapping {
  if (error instanceof RefusedError) {
    const { status, reason, retryAfter, message } = error
    const said = [status, reason, message.slice(0, 300)].filter(Boolean).join(', ')
    return { ...refusalMapping(error, context), status, said, ...omitUndefined({ retryAfter }) }
  }
  if (error instanceof NoTokenError) return tokenMapping(error.cause)
  const mapping = connectionMapping(error, CHECK) ?? BROKEN
  return { ...mapping, said: nameOf(error), cause: withoutRequest(error) }
}

function refusalMapping(
  { status, reason, message }: RefusedError,
  { conditional }: ErrorContext,
): ErrorMapping {
  if (status === 501 && conditional) return unconditional('ifGenerationMatch')
  if (status === 404 && /bucket does not exist/i.test(message)) return missingBucket(BUCKET_REMEDY)
  if (status === 400 && /bucket name/i.test(message)) return INVALID_BUCKET_NAME
  if (status === 400 && /match calculated/i.test(message)) return ALTERED
  if (status === 403 && /ratelimit|quota/i.test(reason)) return BUSY
  return BY_STATUS[status] ?? statusMapping(status) ?? NO_GCS
}

/** The error of a key file that can't be read, or contains no key, has a system code, too. */
function tokenMapping(cause: unknown): ErrorMapping {
  const fault = connectionFault(cause)
  const isConnection = fault?.unsent === true || systemCode(cause) === 'ETIMEDOUT'
  if (fault !== undefined && isConnection) {
    const why = `the server that gives tokens for these credentials cannot be reached (${fault.why}): check the network`
    return { ...fault, unsent: true, why, said: nameOf(cause), cause: withoutRequest(cause) }
  }
  const isClock = cause instanceof Error && /reasonable timeframe/.test(cause.message)
  return {
    code: 'unauthenticated',
    why: isClock ? WRONG_CLOCK : NO_TOKEN,
    cause: withoutRequest(cause),
  }
}

const nameOf = (error: unknown): string =>
  systemCode(error) ?? (error instanceof Error ? error.name : 'Error')

/** The library's errors contain requests with tokens. Only name and message are kept. */
function withoutRequest(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const plain = new Error(message.slice(0, 500).replace(/\?\S*/g, '?…'))
  plain.name = name
  return plain
}
