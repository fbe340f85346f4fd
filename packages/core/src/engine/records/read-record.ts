import type { BlobStore, OpOptions } from '../../ports/index.js'
import { nextTurn } from '../../query/work.js'
import { readText } from './blobs.js'

/** Records of a store that are read at once, by all operations together: each takes an open file or a connection. */
const AT_ONCE = 64
/** Characters of a record from which on it is decoded in a turn of the event loop of its own. */
const LARGE = 128 * 1024

const stores = new WeakMap<BlobStore, RecordReads>()

/**
 * The text of a record; undefined when there is none. A bounded number is read at once. Operations that want the same one while
 * it is being read share that read, so that many who look for the same among all records cost little more than one: records
 * never change once they are there. A read that found nothing is not shared, since the record may have been created meanwhile.
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
    // should it fail, or be given up by the operation that began it, this one reads for itself
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

  /** Resolves when another read has ended and left its place to this one. @throws the signal's reason */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    let take = () => {}
    const turn = new Promise<true>((resolve) => {
      take = () => {
        this.#waiting.delete(take)
        resolve(true)
      }
    })
    this.#waiting.add(take)
    if (await untilAborted(turn, signal, undefined)) return
    this.#waiting.delete(take)
    signal?.throwIfAborted()
  }
}

/** What the promise resolves to; `otherwise` where it rejects, or the signal aborts first. */
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
