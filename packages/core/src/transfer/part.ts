import { allocate } from '#files'
import { IvcapError } from '../model/errors.js'

/** Fewer bytes than this aren't handed out while more are on their way: calls cost more than bytes. */
const WORTH_WAITING = 256 * 1024
const MOST = 1 << 20

/** A stretch of a blob, in memory as it comes. */
export class Part {
  readonly start: number
  readonly end: number
  readonly #bytes: Uint8Array
  #filled = 0
  #taken = 0
  #failure: { readonly error: unknown } | undefined
  #wake = () => {}

  constructor(start: number, end: number) {
    this.start = start
    this.end = end
    this.#bytes = allocate(end - start)
  }

  /** Where in the blob the next bytes belong. */
  get position(): number {
    return this.start + this.#filled
  }

  /** All of it was handed out. */
  get done(): boolean {
    return this.#taken === this.#bytes.byteLength
  }

  add(bytes: Uint8Array): void {
    if (this.#filled + bytes.byteLength > this.#bytes.byteLength) {
      const asked = `bytes ${this.start}–${this.end} were asked for`
      throw new IvcapError('protocol', `the server sent more than it should: ${asked}`)
    }
    this.#bytes.set(bytes, this.#filled)
    this.#filled += bytes.byteLength
    this.#wake()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#wake()
  }

  /** The next bytes, up to 1 MiB; waits for them. */
  async take(): Promise<Uint8Array> {
    while (!this.#worthTaking()) {
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const end = Math.min(this.#filled, this.#taken + MOST)
    const bytes = this.#bytes.subarray(this.#taken, end)
    this.#taken = end
    return bytes
  }

  #worthTaking(): boolean {
    const whole = this.#filled === this.#bytes.byteLength
    const ready = this.#filled - this.#taken
    return whole || ready >= WORTH_WAITING || (this.#failure !== undefined && ready > 0)
  }
}
