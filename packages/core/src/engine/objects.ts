/** Small texts under keys, over a BlobStore. */
import { IvcapError, isIvcapError } from '../model/errors.js'
import type { BlobStore, OpOptions } from '../ports.js'
import { contentSource } from '../transfer/source.js'
import type { Engine } from './context.js'
import { inParallel } from './parallel.js'
import { damaged } from './records.js'

/** Keys are short and few at once; a driver repeats what the network dropped. */
const TRANSFER = { retries: 3, retryDelay: 100 }
const CONTENT_TYPE = 'application/json'
/** Bytes. Records are far smaller; what others left under a key of the engine may have any size. */
const LARGEST_TEXT = 128 * 2 ** 20
/** How often a commit is tried again after the store failed and, asked, had nothing there. */
const COMMIT_RETRIES = 3

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
  await blobs.put(key, contentSource(text), {
    ...TRANSFER,
    ...o,
    mode: 'overwrite',
    contentType: CONTENT_TYPE,
  })
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
  /** The store said no, and nothing is there. */
  | { readonly kind: 'refused'; readonly error: unknown }

/**
 * Creates `key` with a text that nobody else writes. A lost answer is settled by reading back. It throws only where the
 * outcome can't be told: after an abort, or when the store can't be asked; then the blob may be there, or not.
 */
export async function createOnce(engine: Engine, key: string, text: string, o: OpOptions): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      await engine.blobs.put(key, contentSource(text), {
        ...TRANSFER,
        ...o,
        mode: 'create',
        contentType: CONTENT_TYPE,
      })
      return { kind: 'mine' }
    } catch (error) {
      o.signal?.throwIfAborted()
      const there = await readText(engine.blobs, key, o)
      if (there !== undefined) return { kind: there === text ? 'mine' : 'taken' }
      if (!isIvcapError(error) || !error.retryable) return { kind: 'refused', error }
      if (attempt >= COMMIT_RETRIES) throw unsettled(key, error)
      await engine.pause(engine.random() * 100 * 2 ** attempt, o.signal)
    }
  }
}

function unsettled(key: string, cause: unknown): IvcapError {
  return new IvcapError(
    'unavailable',
    `The store did not confirm that it wrote ${key}: look whether the record is there before you write it again`,
    { resource: key, retryable: false, cause },
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
