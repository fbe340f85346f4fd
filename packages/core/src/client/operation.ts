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

/** What every call of the client takes. */
export interface CallOptions {
  /** Cancels the call: it rejects with the signal's own reason once its I/O has stopped. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds for the whole call; fractions are rounded up, Infinity is no limit. When a listing is iterated, it bounds each
   * page; in `toArray()` it bounds the whole.
   *
   * @default the client's `timeout`; without limit if that isn't set either
   */
  readonly timeout?: number | undefined
}

export const CALL_OPTIONS: OptionNames<CallOptions> = { signal: true, timeout: true }

/** Runs one operation of the client: checks its options, then `perform`s it. */
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
 * Runs one operation of the client: merges timeout and signal in this one place, and wraps what fails, once.
 *
 * Rejects with the caller's own `signal.reason` after an abort, with an IvcapError that names `operation` otherwise.
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

/** A call that ran out of time because its requests failed again and again says so: a longer timeout would not help. */
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

/** The error as users get it: an IvcapError that says in which operation it arose. */
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

/** `AbortSignal.any` and `fetch` take no others. jsdom, for one, brings an AbortSignal of its own. */
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
