/**
 * Why a path was rejected, or its evaluation failed:
 * - `syntax`: the text is not a path
 * - `unsupported`: it is a path, but uses a part of the language that this package does not support
 * - `too-large`: the text or its regular expressions exceed a limit
 * - `too-deep`: the path, or the document below `.**`, nests too many steps
 * - `too-expensive`: the evaluation took more steps than the caller allows
 */
export type SqlJsonPathErrorReason = 'syntax' | 'unsupported' | 'too-large' | 'too-deep' | 'too-expensive'

/** The error of this package. */
export class SqlJsonPathError extends Error {
  override readonly name = 'SqlJsonPathError'
  readonly reason: SqlJsonPathErrorReason
  /** Offset in the text of the path, in UTF-16 units from 0. Absent if the error has no position in the text. */
  readonly position?: number

  constructor(reason: SqlJsonPathErrorReason, message: string, position?: number) {
    super(message)
    this.reason = reason
    if (position !== undefined) this.position = position
  }
}

/** Maximum levels of brackets in a path, and in a regular expression. */
export const MAX_NESTING = 100

/** The text can't be read at `position`. */
export function syntaxError(position: number, problem: string): SqlJsonPathError {
  const message = `the path can't be read at character ${position + 1}: ${problem}`
  return new SqlJsonPathError('syntax', message, position)
}

/** The path uses a part of the language that this package does not support. */
export function unsupported(position: number, what: string, remedy: string): SqlJsonPathError {
  const message = `the path has ${what}, which is not supported here: ${remedy}`
  return new SqlJsonPathError('unsupported', message, position)
}

/** Returns the text in quotes, cut to 200 characters. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text)
  return quoted.length > 200 ? `${quoted.slice(0, 200)}…` : quoted
}

/**
 * Thrown where PostgreSQL raises an error that `silent` suppresses: the enclosing condition is unknown, or the path finds
 * nothing. It is a single value without a stack, because it is thrown often.
 */
export const FAILURE = { failure: true } as const

export function fail(): never {
  throw FAILURE
}
