/** The version of the layout, which defines the keys and their meaning. */
import * as v from 'valibot'
import { IvcapError, isIvcapError } from '../model/errors.js'
import type { BlobStore, OpOptions } from '../ports/index.js'
import { abortable } from '../retry/delayed-abort.js'
import { afterFailure } from '../retry/retry.js'
import { contentSource } from '../streams/source.js'
import { readText } from './records/blobs.js'
import { damaged, parseJson } from './records/texts.js'

/** Stores without a marker were written before the marker was introduced: this version reads them, too. */
const VERSION = 1
const KEY = 'layout'
const Marker = v.object({ layout: v.pipe(v.number(), v.integer()) })

/**
 * The layout marker of a store. It is read once, concurrently with the first operation, and created concurrently with the commit
 * of the first write. So neither delays an operation.
 */
export class LayoutMarker {
  readonly #blobs: BlobStore
  #state: 'unknown' | 'absent' | 'present' = 'unknown'
  #reading: Promise<void> | undefined
  #creating: Promise<void> | undefined

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  /** @throws IvcapError `unsupported` if a newer version has written the store */
  async check(o: OpOptions): Promise<void> {
    if (this.#state !== 'unknown') return
    // operations that begin together share one read: the abort of one must not fail the others
    this.#reading ??= this.#read(afterFailure(undefined, o)).finally(() => {
      this.#reading = undefined
    })
    await abortable(this.#reading, o.signal)
  }

  /** Creates the marker if it does not exist. After a failure, the next write tries again. */
  async create(o: OpOptions): Promise<void> {
    if (this.#state !== 'absent') return
    this.#creating ??= this.#create(afterFailure(undefined, o)).finally(() => {
      this.#creating = undefined
    })
    await abortable(this.#creating, o.signal).catch(() => {})
  }

  async #create(o: OpOptions): Promise<void> {
    const source = contentSource(`${JSON.stringify({ layout: VERSION })}\n`)
    try {
      await this.#blobs.put(KEY, source, { ...o, mode: 'create', contentType: 'application/json' })
      this.#state = 'present'
    } catch (error) {
      // another process has created one meanwhile: the next operation reads it
      if (isIvcapError(error, 'already-exists')) this.#state = 'unknown'
    }
  }

  async #read(o: OpOptions): Promise<void> {
    const text = await readText(this.#blobs, KEY, o)
    if (text === undefined) {
      this.#state = 'absent'
      return
    }
    const parsed = v.safeParse(Marker, parseJson(text))
    if (!parsed.success) throw damaged(KEY, 'it is no marker of a layout')
    const { layout } = parsed.output
    if (layout > VERSION) {
      const message = `${this.#blobs.uri} has layout ${layout}, and this version of @ivcap/core knows layouts up to ${VERSION}: update @ivcap/core`
      throw new IvcapError('unsupported', message, { resource: this.#blobs.uri })
    }
    this.#state = 'present'
  }
}
