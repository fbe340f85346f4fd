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
  /** What the caller asked for, e.g. `uploadArtifact`. The client fills it in. */
  readonly operation?: string
  /** The argument that was wrong, e.g. `filePath`. */
  readonly argument?: string
  /** The URN, key or path that it is about. */
  readonly resource?: string
  /** HTTP status, where there was one. */
  readonly status?: number
  /** Whether the same call may succeed if made again. */
  readonly retryable?: boolean
  /** Milliseconds to wait before that, where the other side said so. */
  readonly retryAfter?: number
  /** How many times it was tried, where its retries are used up: no layer above begins again. */
  readonly attempts?: number
  /** Milliseconds that those attempts took, with the waits between them. */
  readonly elapsed?: number
  /** What a schema of the caller's refused. */
  readonly issues?: readonly Issue[]
  readonly cause?: unknown
}

/** One thing that is wrong with a value. */
export interface Issue {
  readonly message: string
  /** The fields that lead to it. */
  readonly path: readonly string[]
}

/** Shared by every copy of this package in a process (ESM, CJS, duplicates), where `instanceof` would fail. */
const brand = Symbol.for('@ivcap/core/IvcapError')

/**
 * The one error class. `code` says what kind of failure it is; the message says what was asked, of what,
 * what came back and what to do. It never holds a token, the query of a signed URL, or control characters.
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

/** Whether `e` is an IvcapError, of this code if one is given. Works across copies of the package. */
export function isIvcapError(e: unknown, code?: IvcapErrorCode): e is IvcapError {
  return (
    typeof e === 'object' &&
    e !== null &&
    brand in e &&
    'code' in e &&
    (code === undefined || e.code === code)
  )
}
