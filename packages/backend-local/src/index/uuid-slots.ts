/** A uuid as four numbers of 32 bits: they compare as its text does. */
export type Words = readonly [number, number, number, number]

export function wordsOf(uuid: string): Words {
  return [
    Number.parseInt(uuid.slice(0, 8), 16),
    Number.parseInt(uuid.slice(9, 13) + uuid.slice(14, 18), 16),
    Number.parseInt(uuid.slice(19, 23) + uuid.slice(24, 28), 16),
    Number.parseInt(uuid.slice(28, 36), 16),
  ]
}

export function uuidOf(words: Words): string {
  const hex = words.map((word) => word.toString(16).padStart(8, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const EMPTY = -1
const FREED = -2
/** A slot that there isn't. */
const NONE = -1
const FIRST_ROOM = 1024

/** Where the uuids are. */
interface RowsOfUuids {
  /** A quarter of the row's uuid, 0 to 3. */
  word(row: number, quarter: number): number
}

/**
 * Which row has a uuid: an open hash table of row numbers, 8 to 16 bytes a row, where a Map with texts takes some 100. The
 * uuids themselves are in the rows.
 */
export class UuidSlots {
  readonly #rows: RowsOfUuids
  #slots = new Int32Array(FIRST_ROOM).fill(EMPTY)
  /** Slots that are or were in use: each lengthens the way to others. */
  #used = 0

  constructor(rows: RowsOfUuids) {
    this.#rows = rows
  }

  find([a, b, c, d]: Words): number | undefined {
    return this.#slots[this.#slotOf(a, b, c, d)]
  }

  /** The row that was added with the same uuid as this one has. */
  findSame(row: number): number | undefined {
    return this.#slots[this.#slotOfRow(row)]
  }

  /** Its uuid has no row yet. */
  add(row: number): void {
    if (this.#used * 2 >= this.#slots.length) this.#grow()
    this.#used++
    const rows = this.#rows
    const mask = this.#slots.length - 1
    let slot = hash(rows.word(row, 0), rows.word(row, 1), rows.word(row, 2), rows.word(row, 3)) & mask
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask
    this.#slots[slot] = row
  }

  remove(row: number): void {
    const slot = this.#slotOfRow(row)
    if (slot !== NONE) this.#slots[slot] = FREED
  }

  #slotOfRow(row: number): number {
    const rows = this.#rows
    return this.#slotOf(rows.word(row, 0), rows.word(row, 1), rows.word(row, 2), rows.word(row, 3))
  }

  #slotOf(a: number, b: number, c: number, d: number): number {
    const rows = this.#rows
    const mask = this.#slots.length - 1
    for (let slot = hash(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] ?? EMPTY
      if (row === EMPTY) return NONE
      if (row === FREED || rows.word(row, 0) !== a || rows.word(row, 1) !== b) continue
      if (rows.word(row, 2) === c && rows.word(row, 3) === d) return slot
    }
  }

  #grow(): void {
    const rows = this.#slots.filter((row) => row >= 0)
    this.#slots = new Int32Array(this.#slots.length * 2).fill(EMPTY)
    this.#used = 0
    for (const row of rows) this.add(row)
  }
}

export function compareWords(a: Words, b: Words): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]
}

/** Most uuids are random, but others can be made by counting. */
const hash = (a: number, b: number, c: number, d: number): number =>
  Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 961) ^ d, 0x9e3779b1) >>> 8
