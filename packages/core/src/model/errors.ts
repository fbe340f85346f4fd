import { plainText } from './plain-text.js'

export type IvcapErrorCode =
  | 'invalid-argument'
  | 'missing-argument'
  | 'not-found'
  | 'ambiguous'
  | 'already-exists'
  | 'precondition-failed'
  | 'unauthenticated'
  | 'permission-denied'
  | 'integrity'
  | 'unsupported'
  | 'rate-limited'
  | 'unavailable'
  | 'timeout'
  | 'protocol'
  | 'unknown'

export interface IvcapErrorDetails {
  /** The operation that the caller requested, e.g. `uploadArtifact`. Set by the client. */
  readonly operation?: string
  /** The invalid argument, e.g. `filePath`. */
  readonly argument?: string
  /** The URN, key or path that the error is about. */
  readonly resource?: string
  /** HTTP status, if there was a response. */
  readonly status?: number
  /** Whether a repetition of the same call may succeed. */
  readonly retryable?: boolean
  /** Milliseconds to wait before a repetition, if the other side stated them. */
  readonly retryAfter?: number
  /** Number of attempts, if the retries are used up. No layer above may repeat the request then. */
  readonly attempts?: number
  /** Milliseconds of all attempts, including the waits between them. */
  readonly elapsed?: number
  /** The issues that the caller's schema reported. */
  readonly issues?: readonly Issue[]
  readonly cause?: unknown
}

/** One problem of a value. */
export interface Issue {
  readonly message: string
  /** Path of fields to the invalid value. */
  readonly path: readonly string[]
}

/** Shared by all copies of this package in a process (ESM, CJS, duplicates), where `instanceof` would fail. */
const brand = Symbol.for('@ivcap/core/IvcapError')

/**
 * The only error class. `code` is the kind of failure. The message says what was requested and of what, what came
 * back, and what to do. It never contains a token, the query of a signed URL, or control characters.
 */
export class IvcapError extends Error {
  readonly code: IvcapErrorCode
  readonly operation?: string
  readonly argument?: string
  readonly resource?: string
  readonly status?: number
  readonly retryable: boolean
  readonly retryAfter?: number
  readonly attempts?: number
  readonly elapsed?: number
  readonly issues?: readonly Issue[]
  readonly [brand] = true

  constructor(code: IvcapErrorCode, message: string, details: IvcapErrorDetails = {}) {
    super(plainText(message), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'IvcapError'
    this.code = code
    this.retryable = details.retryable ?? (code === 'unavailable' || code === 'rate-limited')
    if (details.operation !== undefined) this.operation = details.operation
    if (details.argument !== undefined) this.argument = details.argument
    if (details.resource !== undefined) this.resource = details.resource
    if (details.status !== undefined) this.status = details.status
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter
    if (details.attempts !== undefined) this.attempts = details.attempts
    if (details.elapsed !== undefined) this.elapsed = details.elapsed
    if (details.issues !== undefined) this.issues = details.issues
  }
}

/** Whether `e` is an IvcapError, and has this code if one is given. Works across copies of the package. */
export function isIvcapError(e: unknown, code?: IvcapErrorCode): e is IvcapError {
  return (
    typeof e === 'object' &&
    e !== null &&
    brand in e &&
    'code' in e &&
    (code === undefined || e.code === code)
  )
}
