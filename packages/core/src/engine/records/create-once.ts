/** Creating a blob once, however many writers try: the commit of every write. */
import { IvcapError, type IvcapErrorCode, isIvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure, DEFAULT_RETRIES, opOptions, retry } from '../../retry/retry.js'
import { contentSource } from '../../streams/source.js'
import type { Engine } from '../context.js'
import { CONTENT_TYPE, readText } from './blobs.js'

export type Outcome =
  | { readonly kind: 'mine' }
  /** Another writer's text is there, for good. */
  | { readonly kind: 'taken' }
  /** The store refused, and nothing is there. */
  | { readonly kind: 'refused'; readonly error: unknown }

/**
 * `createOnce`, and the marker of the layout beside it, if this is the first write. The caller must have checked the layout before.
 */
export async function commit(engine: Engine, key: string, text: string, o: OpOptions): Promise<Outcome> {
  const [outcome] = await Promise.all([createOnce(engine, key, text, o), engine.layout.create(o)])
  return outcome
}

/**
 * Creates `key` with a text that no other writer writes. If the answer is lost, reads back what is there. Throws only if the
 * outcome is not known: after an abort, or if the store kept failing; then the blob may be there, or not.
 *
 * The failure of the write is what is reported, never that of the read after it.
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
      // a slow server may write it yet
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

/** What a store answers instead of writing anything. */
const NEVER_WRITTEN: ReadonlySet<IvcapErrorCode> = new Set([
  'invalid-argument',
  'permission-denied',
  'unauthenticated',
  'unsupported',
])

/** The failure, and that the record may be there: the call must not be repeated blindly. */
function unsettled(key: string, error: unknown): unknown {
  if (!isIvcapError(error)) return error
  const { code, message, status, retryAfter, attempts, elapsed, cause } = error
  return new IvcapError(
    code,
    `${message}; the store did not confirm that it wrote ${key}: check whether the record is there before you write it again`,
    omitUndefined({ resource: key, retryable: false, status, retryAfter, attempts, elapsed, cause }),
  )
}

/** Options of the requests that clear away after a creation that was not made. */
export const afterOutcome = (outcome: Outcome, o: OpOptions): OpOptions =>
  afterFailure(outcome.kind === 'refused' ? outcome.error : undefined, o)
