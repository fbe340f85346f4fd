/** Reads and writes small texts by key. */

import { IvcapError, isIvcapError } from '../../model/errors.js'
import { FailureLog } from '../../model/failures.js'
import type { BlobPage, BlobStore, OpOptions } from '../../ports/index.js'
import { contentSource } from '../../streams/source.js'
import { inParallel } from '../parallel.js'
import { damaged } from './texts.js'

export const CONTENT_TYPE = 'application/json'
/** Maximum bytes of a text. Records are far smaller, but foreign data at a key of the engine may have any size. */
const LARGEST_TEXT = 128 * 2 ** 20

/** Maximum number of reads of a text that arrives damaged, or changes while it is read. */
const READS = 4

/**
 * Returns undefined if the blob does not exist. Reads the text again if its bytes were changed in transit, or if the blob was
 * overwritten meanwhile: even a repeated write of the same text makes a new version. Only a text that stays damaged fails.
 *
 * @throws IvcapError `integrity` if it is not a text of this engine
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

/** Detects attempts whose outcome is unknown. */
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

/** Puts empty blobs: their keys contain all information. */
export async function putMarks(blobs: BlobStore, keys: readonly string[], o: OpOptions): Promise<void> {
  await inParallel(keys, (key) => putText(blobs, key, '', o))
}

export async function deleteAll(blobs: BlobStore, keys: readonly string[], o: OpOptions): Promise<void> {
  await inParallel(keys, (key) => blobs.delete(key, o))
}

/**
 * Sends one LIST and checks the page: all its names must come after `startAfter`, and if more pages follow, it must contain a
 * name. Every loop of the engine over pages must use it, so that no loop is endless.
 *
 * @returns the page, and the name of its last key or prefix
 * @throws IvcapError `protocol` if the page fails the check
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
