/** Creates a blob exactly once, even if several writers try. This is the commit of every write. */
import { IvcapError, type IvcapErrorCode, isIvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure, DEFAULT_RETRIES, opOptions, retry } from '../../retry/retry.js'
import { contentSource } from '../../streams/source.js'
import type { Engine } from '../context.js'
import { CONTENT_TYPE, readText } from './blobs.js'

export type Outcome =
  | { readonly kind: 'mine' }
  /** The key holds the text of another writer, permanently. */
  | { readonly kind: 'taken' }
  /** The store refused the write, and the key does not exist. */
  | { readonly kind: 'refused'; readonly error: unknown }

/**
 * Calls `createOnce`, and concurrently creates the layout marker if this is the first write. The caller must have checked the
 * layout.
 */
export async function commit(engine: Engine, key: string, text: string, o: OpOptions): Promise<Outcome> {
  const [outcome] = await Promise.all([createOnce(engine, key, text, o), engine.layout.create(o)])
  return outcome
}

/**
 * Creates `key` with a text that no other writer writes. If the response is lost, reads the key to learn the outcome. Throws only
 * if the outcome is unknown: after an abort, or if the store kept failing. Then the blob may or may not exist.
 *
 * Reports the failure of the write, not that of the read after it, unless the write failed with `already-exists`.
 */
export async function createOnce(engine: Engine, key: string, text: string, o: OpOptions): Promise<Outcome> {
  const { blobs, pause } = engine
  let isOpen = false
  const attempt = async (): Promise<Outcome> => {
    try {
      await blobs.put(key, contentSource(text), { ...o, mode: 'create', contentType: CONTENT_TYPE })
      return { kind: 'mine' }
    } catch (error) {
      o.signal?.throwIfAborted()
      if (isIvcapError(error) && NEVER_WRITTEN.has(error.code)) throw error
      const isTaken = isIvcapError(error, 'already-exists')
      const op = { ...afterFailure(error, o), ...(o.signal && { signal: o.signal }) }
      const there = await readText(blobs, key, op).catch((unread: unknown) => {
        o.signal?.throwIfAborted()
        isOpen = true
        if (isTaken) throw unread
        return undefined
      })
      if (there !== undefined) return { kind: there === text ? 'mine' : 'taken' }
      // a slow server may still write it
      isOpen ||= isIvcapError(error) && error.retryable
      throw error
    }
  }
  try {
    return await retry(attempt, { ...DEFAULT_RETRIES, ...opOptions(o), pause })
  } catch (error) {
    o.signal?.throwIfAborted()
    if (!isOpen) return { kind: 'refused', error }
    throw unsettled(key, error)
  }
}

/** Error codes after which a store has written nothing. */
const NEVER_WRITTEN: ReadonlySet<IvcapErrorCode> = new Set([
  'invalid-argument',
  'permission-denied',
  'unauthenticated',
  'unsupported',
])

/** Adds to the failure that the record may exist. The caller must check that before it repeats the call. */
function unsettled(key: string, error: unknown): unknown {
  if (!isIvcapError(error)) return error
  const { code, message, status, retryAfter, attempts, elapsed, cause } = error
  return new IvcapError(
    code,
    `${message}; the store did not confirm that it wrote ${key}: check whether the record is there before you write it again`,
    omitUndefined({ resource: key, retryable: false, status, retryAfter, attempts, elapsed, cause }),
  )
}

/** Options of the requests that clean up after a creation that did not succeed. */
export const afterOutcome = (outcome: Outcome, o: OpOptions): OpOptions =>
  afterFailure(outcome.kind === 'refused' ? outcome.error : undefined, o)
