import type { Words } from './uuid-slots.js'

/** Bytes of a row: its uuid (16), numbers of its entity and schema (4 each), validFrom, validTo, changed, size (8 each). */
export const ROW_BYTES = 56
const WORDS = ROW_BYTES / 4
const DOUBLES = ROW_BYTES / 8
/** Of an entity that no row has. */
const DEAD = 0xffff_ffff
const FIRST_ROOM = 1024

/** What a row holds beside its names. */
export interface Numbers {
  /** Microseconds since 1970; -Infinity where the record does not tell. */
  readonly from: number
  /** Microseconds since 1970; Infinity of a record that is not closed. */
  readonly to: number
  /** When the file was last changed, in ns as far as a number holds them. */
  readonly changed: number
  /** Bytes of the file. */
  readonly size: number
}

/** Rows of one size in one piece of memory, only ever appended: a million are two arrays, not a million objects. */
export class AspectRows {
  #bytes = new Uint8Array(ROW_BYTES * FIRST_ROOM)
  #words = new Uint32Array(this.#bytes.buffer)
  #doubles = new Float64Array(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The bytes of rows, one after the other. The number of the first. */
  append(bytes: Uint8Array): number {
    const first = this.#length
    const at = first * ROW_BYTES
    if (at + bytes.byteLength > this.#bytes.byteLength) {
      const longer = new Uint8Array(Math.max(this.#bytes.byteLength * 2, at + bytes.byteLength))
      longer.set(this.#bytes)
      this.#bytes = longer
      this.#words = new Uint32Array(longer.buffer)
      this.#doubles = new Float64Array(longer.buffer)
    }
    this.#bytes.set(bytes, at)
    this.#length += bytes.byteLength / ROW_BYTES
    return first
  }

  bytes(row: number): Uint8Array {
    return this.#bytes.subarray(row * ROW_BYTES, (row + 1) * ROW_BYTES)
  }

  /** A quarter of the uuid, 0 to 3. */
  word(row: number, quarter: number): number {
    return this.#words[row * WORDS + quarter] ?? 0
  }
  words(row: number): Words {
    return [this.word(row, 0), this.word(row, 1), this.word(row, 2), this.word(row, 3)]
  }
  compareUuids(a: number, b: number): number {
    for (let i = 0; i < 4; i++) {
      const difference = this.word(a, i) - this.word(b, i)
      if (difference !== 0) return difference
    }
    return 0
  }
  entity(row: number): number {
    return this.#words[row * WORDS + 4] ?? DEAD
  }
  schema(row: number): number {
    return this.#words[row * WORDS + 5] ?? DEAD
  }
  name(row: number, entity: number, schema: number): void {
    this.#words[row * WORDS + 4] = entity
    this.#words[row * WORDS + 5] = schema
  }

  from(row: number): number {
    return this.#doubles[row * DOUBLES + 3] ?? 0
  }
  to(row: number): number {
    return this.#doubles[row * DOUBLES + 4] ?? 0
  }
  changed(row: number): number {
    return this.#doubles[row * DOUBLES + 5] ?? 0
  }
  size(row: number): number {
    return this.#doubles[row * DOUBLES + 6] ?? 0
  }

  /** Whether both are of the same entity and schema and began at the same time: only their ends and versions may differ. */
  isSame(a: number, b: number): boolean {
    return (
      this.entity(a) === this.entity(b) && this.schema(a) === this.schema(b) && this.from(a) === this.from(b)
    )
  }
  /** Takes over the end and the version of the other row. false: they were just so. */
  take(row: number, other: number): boolean {
    const changes =
      this.to(row) !== this.to(other) ||
      this.changed(row) !== this.changed(other) ||
      this.size(row) !== this.size(other)
    this.#doubles.copyWithin(row * DOUBLES + 4, other * DOUBLES + 4, (other + 1) * DOUBLES)
    return changes
  }

  kill(row: number): void {
    this.#words[row * WORDS + 4] = DEAD
  }
  isAlive(row: number): boolean {
    return this.#words[row * WORDS + 4] !== DEAD
  }
}

/** The bytes of a row, for `append`. */
export function rowBytes(uuid: Words, entity: number, schema: number, n: Numbers): Uint8Array {
  const bytes = new Uint8Array(ROW_BYTES)
  new Uint32Array(bytes.buffer).set([...uuid, entity, schema])
  new Float64Array(bytes.buffer).set([n.from, n.to, n.changed, n.size], 3)
  return bytes
}
