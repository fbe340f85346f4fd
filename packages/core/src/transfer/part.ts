import { allocate } from '#runtime'
import { IvcapError } from '../model/errors.js'

/** Bytes that must be available before some are delivered, unless the part is complete: each call has a cost. */
const WORTH_WAITING = 256 * 1024
/** Smaller pieces are joined. For larger ones, copying costs more than a call. */
const WORTH_A_CALL = 64 * 1024

/** A range of a blob. Holds its bytes in memory as they arrive. */
export class Part {
  readonly start: number
  readonly end: number
  readonly #most: number
  readonly #pieces: Uint8Array[] = []
  #filled = 0
  #taken = 0
  #failure: { readonly error: unknown } | undefined
  #wake = () => {}
  #resume = () => {}

  /** @param most bytes that the part may hold before the code that fills it must wait */
  constructor(start: number, end: number, most: number) {
    this.start = start
    this.end = end
    this.#most = most
  }

  /** Position of the next bytes in the blob. */
  get position(): number {
    return this.start + this.#filled
  }

  /** Whether all bytes were delivered. */
  get done(): boolean {
    return this.#taken === this.end - this.start
  }

  /** Keeps the bytes without copying them: the caller must not reuse their memory. */
  add(bytes: Uint8Array): void {
    if (this.position + bytes.byteLength > this.end) {
      const asked = `bytes ${this.start}–${this.end} were asked for`
      throw new IvcapError('protocol', `the server sent more than it should: ${asked}`)
    }
    this.#pieces.push(bytes)
    this.#filled += bytes.byteLength
    this.#wake()
  }

  /** Whether the part accepts more bytes, or has failed. */
  get hasRoom(): boolean {
    return this.#filled - this.#taken < this.#most || this.#failure !== undefined
  }

  /** Resolves when `hasRoom` is true. */
  async room(): Promise<void> {
    while (!this.hasRoom) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve
      })
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
    this.#resume()
  }

  /** The next bytes: one piece as it arrived, or several small ones joined. Waits until enough bytes are available. */
  async take(): Promise<Uint8Array> {
    while (!this.#worthTaking()) {
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const bytes = this.#next()
    this.#taken += bytes.byteLength
    this.#resume()
    return bytes
  }

  #worthTaking(): boolean {
    const whole = this.position === this.end
    const ready = this.#filled - this.#taken
    return whole || ready >= Math.min(WORTH_WAITING, this.#most) || (this.#failure !== undefined && ready > 0)
  }

  #next(): Uint8Array {
    let size = 0
    const count = this.#pieces.findIndex((piece) => {
      size += piece.byteLength
      return size >= WORTH_A_CALL
    })
    const pieces = this.#pieces.splice(0, count < 0 ? this.#pieces.length : count + 1)
    const [only] = pieces
    if (only !== undefined && pieces.length === 1) return only
    const bytes = allocate(size)
    let at = 0
    for (const piece of pieces) {
      bytes.set(piece, at)
      at += piece.byteLength
    }
    return bytes
  }
}
