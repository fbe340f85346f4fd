import { allocate } from '#runtime'
import { IvcapError } from '../model/errors.js'

/** Handing out begins when so many bytes are there, or all: calls cost more than bytes. */
const WORTH_WAITING = 256 * 1024
/** Pieces smaller than this are put together; a copy costs more than a call from here on. */
const WORTH_A_CALL = 64 * 1024

/** A stretch of a blob, in memory as it comes. */
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

  /** @param most bytes that it holds before whoever fills it is to wait */
  constructor(start: number, end: number, most: number) {
    this.start = start
    this.end = end
    this.#most = most
  }

  /** Where in the blob the next bytes belong. */
  get position(): number {
    return this.start + this.#filled
  }

  /** All of it was handed out. */
  get done(): boolean {
    return this.#taken === this.end - this.start
  }

  /** The bytes are kept as they are, not copied: their memory must not be used again. */
  add(bytes: Uint8Array): void {
    if (this.position + bytes.byteLength > this.end) {
      const asked = `bytes ${this.start}–${this.end} were asked for`
      throw new IvcapError('protocol', `the server sent more than it should: ${asked}`)
    }
    this.#pieces.push(bytes)
    this.#filled += bytes.byteLength
    this.#wake()
  }

  /** Whether more bytes are welcome, or it has failed. */
  get hasRoom(): boolean {
    return this.#filled - this.#taken < this.#most || this.#failure !== undefined
  }

  /** Settles when it has. */
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

  /** The next bytes, as they came or several pieces in one; waits until it is worth while. */
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
