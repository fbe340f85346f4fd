import { expectListeners } from '#files'
import { IvcapError, isIvcapError } from '../model/errors.js'
import { withoutAbsent } from '../model/present.js'
import { show } from '../model/urn.js'
import type { OpOptions } from '../ports.js'
import type { Context } from './context.js'

/** What every call of the client takes. */
export interface CallOptions {
  /** Cancels the call: it rejects with the signal's own reason once its I/O has stopped. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for the whole call; default: the client's `timeout`; without limit if that isn't set either. */
  readonly timeout?: number | undefined
}

/**
 * Runs one operation of the client: merges timeout and signal in this one place, and wraps what fails, once.
 *
 * Rejects with the caller's own `signal.reason` after an abort, with an IvcapError that names `operation` otherwise.
 */
export async function perform<T>(
  context: Context,
  operation: string,
  { signal, timeout = context.timeout }: CallOptions,
  run: (o: OpOptions) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const limit = timeout === undefined ? undefined : AbortSignal.timeout(checkTimeout(timeout))
  const merged = signal && limit ? AbortSignal.any([signal, limit]) : (signal ?? limit)
  if (merged !== undefined) expectListeners(merged)
  try {
    return await run(merged === undefined ? {} : { signal: merged })
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error
    if (limit?.aborted && error === limit.reason) {
      throw new IvcapError(
        'timeout',
        `${operation} took longer than ${timeout} ms; give it a longer timeout`,
        { operation },
      )
    }
    throw named(error, operation)
  }
}

/** The error as users get it: an IvcapError that says in which operation it arose. */
export function named(error: unknown, operation: string): IvcapError {
  if (!isIvcapError(error)) {
    const text = error instanceof Error ? error.message : show(error)
    return new IvcapError('unknown', `${operation} failed: ${text}`, { operation, cause: error })
  }
  if (error.operation !== undefined) return error
  const { code, message, argument, resource, status, retryable } = error
  const details = withoutAbsent({
    operation,
    argument,
    resource,
    status,
    retryable,
    cause: error.cause ?? error,
  })
  return new IvcapError(code, `${operation}: ${message}`, details)
}

/** @throws IvcapError `invalid-argument` */
export function checkTimeout(timeout: number): number {
  if (Number.isFinite(timeout) && timeout > 0) return timeout
  const message = `timeout must be a number of milliseconds above 0, not ${show(timeout)}`
  throw new IvcapError('invalid-argument', message, { argument: 'timeout' })
}
