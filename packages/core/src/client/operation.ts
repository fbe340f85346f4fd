import { expectListeners } from '#runtime'
import { IvcapError, isIvcapError } from '../model/errors.js'
import { emit, type IvcapEvent } from '../model/events.js'
import { FailureLog } from '../model/failures.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { checkOptions, type OptionNames } from '../model/options.js'
import { timeoutSignal } from '../model/timers.js'
import { show } from '../model/urn.js'
import type { OpOptions } from '../ports/index.js'
import { checkTimeout } from './arguments.js'
import type { Context } from './context.js'

/** Options of every call of the client. */
export interface CallOptions {
  /** Cancels the call. The call rejects with the signal's reason after its I/O has stopped. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds for the whole call; fractions are rounded up, Infinity means no limit. When a listing is iterated, the timeout
   * bounds each page; in `toArray()` it bounds the whole.
   *
   * @default the client's `timeout`, or no limit if that is not set
   */
  readonly timeout?: number | undefined
}

export const CALL_OPTIONS: OptionNames<CallOptions> = { signal: true, timeout: true }

/** Runs one operation of the client: checks its options, then calls `perform`. */
export async function call<O extends CallOptions, T>(
  context: Context,
  operation: string,
  o: O,
  names: OptionNames<NoInfer<O>>,
  run: (op: OpOptions, checked: O) => Promise<T>,
): Promise<T> {
  const checked = checkOptions(o, names, operation)
  return perform(context, operation, checked, (op) => run(op, checked))
}

/**
 * Runs one operation of the client. The only place that merges timeout and signal, and that wraps errors.
 *
 * Rejects with the caller's `signal.reason` after an abort, otherwise with an IvcapError that names `operation`.
 */
export async function perform<T>(
  context: Context,
  operation: string,
  {
    signal: given,
    timeout = context.timeout,
    failures = new FailureLog(),
  }: CallOptions & Pick<OpOptions, 'failures'>,
  run: (o: OpOptions) => Promise<T>,
): Promise<T> {
  const signal = given && signalOfThisRealm(given)
  signal?.throwIfAborted()
  const limit = timeout === undefined ? undefined : timeoutSignal(checkTimeout(timeout))
  const merged = signal && limit ? AbortSignal.any([signal, limit]) : (signal ?? limit)
  if (merged !== undefined) expectListeners(merged)
  const { onEvent } = context
  const tell = onEvent && ((event: IvcapEvent) => emit({ operation, ...event }, onEvent))
  try {
    return await run(omitUndefined({ signal: merged, onEvent: tell, failures }))
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error
    if (limit?.aborted && error === limit.reason) throw timedOut(operation, timeout, failures)
    throw named(error, operation)
  }
}

/** If requests of the call failed repeatedly, the message says so, because a longer timeout would not help. */
function timedOut(
  operation: string,
  timeout: number | undefined,
  { first, last, count }: FailureLog,
): IvcapError {
  const took = `${operation} took longer than ${timeout} ms`
  if (first === undefined || last === undefined)
    return new IvcapError('timeout', `${took}; give it a longer timeout`, { operation })
  const attempts = count === 1 ? 'one attempt failed' : `${count} attempts failed, the last one`
  return new IvcapError(
    'timeout',
    `${took}; ${attempts}: ${last.message}`,
    omitUndefined({
      operation,
      resource: first.resource,
      status: first.status,
      attempts: count,
      retryAfter: last.retryAfter,
      cause: first,
    }),
  )
}

/** Converts any error to an IvcapError that names the operation. */
export function named(error: unknown, operation: string): IvcapError {
  if (!isIvcapError(error)) {
    const text = error instanceof Error ? error.message : show(error)
    return new IvcapError('unknown', `${operation} failed: ${text}`, { operation, cause: error })
  }
  if (error.operation !== undefined) return error
  const {
    code,
    message,
    argument,
    resource,
    status,
    retryable,
    retryAfter,
    attempts,
    elapsed,
    issues,
    cause,
  } = error
  const details = omitUndefined({
    operation,
    argument,
    resource,
    status,
    retryable,
    retryAfter,
    attempts,
    elapsed,
    issues,
    cause,
  })
  return new IvcapError(code, `${operation}: ${message}`, details)
}

const adopted = new WeakMap<AbortSignal, AbortSignal>()

/** `AbortSignal.any` and `fetch` accept only signals of this realm. jsdom, for example, has its own AbortSignal class. */
export function signalOfThisRealm(signal: AbortSignal): AbortSignal {
  const foreign: Pick<AbortSignal, 'aborted' | 'reason' | 'addEventListener'> = signal
  if (signal instanceof AbortSignal) return signal
  const known = adopted.get(signal)
  if (known !== undefined) return known
  if (foreign.aborted) return AbortSignal.abort(foreign.reason)
  const own = new AbortController()
  foreign.addEventListener('abort', () => own.abort(foreign.reason), { once: true })
  adopted.set(signal, own.signal)
  return own.signal
}
