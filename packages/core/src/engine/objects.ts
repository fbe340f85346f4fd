/** Small texts under keys, over a BlobStore. */
import { IvcapError, type IvcapErrorCode, isIvcapError } from '../model/errors.js'
import { FailureLog } from '../model/failures.js'
import { omitUndefined } from '../model/omit-undefined.js'
import type { BlobStore, OpOptions } from '../ports.js'
import { afterFailure, DEFAULT_RETRIES, opOptions, retry } from '../transfer/retry.js'
import { contentSource } from '../transfer/source.js'
import type { Engine } from './context.js'
import { inParallel } from './parallel.js'
import { damaged } from './records.js'

const CONTENT_TYPE = 'application/json'
/** Bytes. Records are far smaller; what others left under a key of the engine may have any size. */
const LARGEST_TEXT = 128 * 2 ** 20

/** Undefined if there is nothing. @throws IvcapError `integrity` if it is no text of this engine */
export async function readText(blobs: BlobStore, key: string, o: OpOptions): Promise<string | undefined> {
  try {
    const { body } = await blobs.get(key, o)
    return await textOf(key, body)
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return undefined
    throw error
  }
}

export async function putText(blobs: BlobStore, key: string, text: string, o: OpOptions): Promise<void> {
  await blobs.put(key, contentSource(text), { ...o, mode: 'overwrite', contentType: CONTENT_TYPE })
}

/**
 * Puts the entries of a record in `cur/`, and other hints. If an attempt ended without an answer, the store may carry it out
 * later, even after the record was closed and its entries were deleted. In this case the marks `late` are put as well: they stay,
 * and make readers read the end of the record.
 *
 * @param hints texts by key
 */
export async function putHints(
  blobs: BlobStore,
  hints: ReadonlyMap<string, string>,
  late: readonly string[],
  o: OpOptions,
): Promise<void> {
  const failures = new UnansweredLog(o.failures)
  await inParallel([...hints], ([key, text]) => putText(blobs, key, text, { ...o, failures }))
  if (failures.isUnanswered) await putMarks(blobs, late, o)
}

/** Notices attempts whose outcome is unknown. */
class UnansweredLog extends FailureLog {
  readonly #outer: FailureLog | undefined
  isUnanswered = false

  constructor(outer: FailureLog | undefined) {
    super()
    this.#outer = outer
  }

  override add(error: IvcapError): void {
    super.add(error)
    this.#outer?.add(error)
    this.isUnanswered ||= error.status === undefined || error.status === 500 || error.status >= 502
  }
}

/** Blobs whose key says it all. */
export async function putMarks(blobs: BlobStore, keys: readonly string[], o: OpOptions): Promise<void> {
  await inParallel(keys, (key) => putText(blobs, key, '', o))
}

export async function deleteAll(blobs: BlobStore, keys: readonly string[], o: OpOptions): Promise<void> {
  await inParallel(keys, (key) => blobs.delete(key, o))
}

export type Outcome =
  | { readonly kind: 'mine' }
  /** Somebody else's text is there, for good. */
  | { readonly kind: 'taken' }
  /** The store refused, and nothing is there. */
  | { readonly kind: 'refused'; readonly error: unknown }

/**
 * Creates `key` with a text that no other writer writes. If the answer is lost, reads back what is there. Throws only if the
 * outcome is not known: after an abort, or if the store kept failing; then the blob may be there, or not.
 *
 * The failure of the write is what is reported, never that of the question after it.
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

async function textOf(key: string, body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch {
      throw damaged(key, 'it is not UTF-8')
    }
  }
  const reader = body.getReader()
  let size = 0
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + decode()
      size += value.byteLength
      if (size > LARGEST_TEXT) throw damaged(key, `it has more than ${LARGEST_TEXT / 2 ** 20} MiB`)
      text += decode(value)
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {})
    throw error
  }
}
