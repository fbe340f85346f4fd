/** Small texts under keys. */

import { IvcapError, isIvcapError } from '../../model/errors.js'
import { FailureLog } from '../../model/failures.js'
import type { BlobPage, BlobStore, OpOptions } from '../../ports/index.js'
import { contentSource } from '../../streams/source.js'
import { inParallel } from '../parallel.js'
import { damaged } from './texts.js'

export const CONTENT_TYPE = 'application/json'
/** Bytes. Records are far smaller; what others left under a key of the engine may have any size. */
const LARGEST_TEXT = 128 * 2 ** 20

/** Attempts to read a text that came otherwise than it is stored. */
const READS = 4

/**
 * Undefined if there is nothing. A text is read again if its bytes were changed on the way, or if its blob is written again
 * meanwhile: also a repeated write of the same text makes another version. Only what stays damaged counts as damaged.
 *
 * @throws IvcapError `integrity` if it is no text of this engine
 */
export async function readText(blobs: BlobStore, key: string, o: OpOptions): Promise<string | undefined> {
  for (let reads = 1; ; reads++) {
    try {
      const { body } = await blobs.get(key, o)
      return await textOf(key, body)
    } catch (error) {
      if (isIvcapError(error, 'not-found')) return undefined
      const isOther = isIvcapError(error, 'integrity') || isIvcapError(error, 'precondition-failed')
      if (!isOther || reads === READS) throw error
    }
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

/**
 * One LIST. Every loop of the engine that follows pages uses it: all names of a page must come after `startAfter`, and a page that
 * promises more must contain one, so that no loop repeats itself.
 *
 * @returns the page, and the name of its last key or prefix
 * @throws IvcapError `protocol` if the store breaks that promise
 */
export async function listPage(
  blobs: BlobStore,
  q: Parameters<BlobStore['list']>[0],
  o: OpOptions,
): Promise<BlobPage & { readonly last?: string }> {
  const page = await blobs.list(q, o)
  const { startAfter = '' } = q
  const { items, prefixes = [], more } = page
  const atEnd = (end: 0 | -1) => [items.at(end)?.key ?? [], prefixes.at(end) ?? []].flat().sort().at(end)
  const [first, last] = [atEnd(0), atEnd(-1)]
  if (first === undefined || last === undefined ? !more : first > startAfter)
    return { ...page, ...(last !== undefined && { last }) }
  const what = first === undefined ? 'but none of them' : `and then ${first} again`
  const from = startAfter || q.prefix
  throw new IvcapError(
    'protocol',
    `${blobs.uri} lists more keys after ${from}, ${what}: its listing makes no progress`,
    { resource: blobs.uri },
  )
}

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
