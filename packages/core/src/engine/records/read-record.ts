import type { BlobStore, OpOptions } from '../../ports/index.js'
import { nextTurn } from '../../query/work.js'
import { readText } from './blobs.js'

/** Maximum number of concurrent reads of a store, over all operations: each needs an open file or a connection. */
const AT_ONCE = 64
/** A record with more characters than this is decoded in a separate turn of the event loop. */
const LARGE = 128 * 1024

const stores = new WeakMap<BlobStore, RecordReads>()

/**
 * Returns the text of a record; undefined if it does not exist. The number of concurrent reads is bounded. Concurrent operations
 * that need the same record share one read, so that many equal searches cost little more than one: a record never changes
 * after its creation. A read that found nothing is not shared, since the record may have been created meanwhile.
 */
export async function readRecord(blobs: BlobStore, key: string, o: OpOptions): Promise<string | undefined> {
  let reads = stores.get(blobs)
  if (reads === undefined) {
    reads = new RecordReads(blobs)
    stores.set(blobs, reads)
  }
  const text = await reads.text(key, o)
  if (text !== undefined && text.length > LARGE) await nextTurn()
  return text
}

class RecordReads {
  readonly #blobs: BlobStore
  readonly #reading = new Map<string, Promise<string | undefined>>()
  readonly #waiting = new Set<() => void>()
  #free = AT_ONCE

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  async text(key: string, o: OpOptions): Promise<string | undefined> {
    o.signal?.throwIfAborted()
    const reading = this.#reading.get(key)
    // if the shared read fails or is aborted by the operation that started it, this operation reads again
    const shared = reading && (await untilAborted(reading, o.signal, undefined))
    o.signal?.throwIfAborted()
    return shared ?? (await this.#read(key, o))
  }

  #read(key: string, o: OpOptions): Promise<string | undefined> {
    const reading = this.#inTurn(() => readText(this.#blobs, key, o), o.signal)
    if (!this.#reading.has(key)) {
      this.#reading.set(key, reading)
      const leave = () => this.#reading.delete(key)
      reading.then(leave, leave)
    }
    return reading
  }

  async #inTurn<T>(read: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await this.#turn(signal)
    try {
      return await read()
    } finally {
      const [next] = this.#waiting
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  /** Resolves when another read has ended and this one may start. @throws the signal's reason */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    let take = () => {}
    let isGranted = false
    const turn = new Promise<void>((resolve) => {
      take = () => {
        this.#waiting.delete(take)
        isGranted = true
        resolve()
      }
    })
    this.#waiting.add(take)
    await untilAborted(turn, signal, undefined)
    // an abort may come just after the permit was granted: the caller has it then, and returns it
    if (isGranted) return
    this.#waiting.delete(take)
    signal?.throwIfAborted()
  }
}

/** Resolves to the promise's value, or to `otherwise` if the promise rejects or the signal aborts first. */
function untilAborted<T, U>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  otherwise: U,
): Promise<T | U> {
  return new Promise((resolve) => {
    const stop = () => resolve(otherwise)
    signal?.addEventListener('abort', stop)
    promise.then(resolve, stop).finally(() => signal?.removeEventListener('abort', stop))
  })
}
