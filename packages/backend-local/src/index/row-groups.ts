/** Lists longer than this are kept in order; shorter ones are put in order when asked for. */
const KEPT = 64
const NONE = -1

/**
 * Rows by a text that they share, in an order. Each text's rows are a chain (4 bytes a row); a long one is also kept as a
 * sorted list, once somebody has asked for it.
 */
export class RowGroups {
  readonly #compare: (a: number, b: number) => number
  readonly #isAlive: (row: number) => boolean
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = []
  /** The newest row of each text, and of each row the one before it of the same text. */
  readonly #newest: number[] = []
  #before = new Int32Array(1024)
  readonly #sorted = new Map<number, number[]>()

  constructor(compare: (a: number, b: number) => number, isAlive: (row: number) => boolean) {
    this.#compare = compare
    this.#isAlive = isAlive
  }

  get texts(): readonly string[] {
    return this.#texts
  }

  numberOf(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.#texts.length)
    this.#newest.push(NONE)
    return this.#texts.push(text) - 1
  }

  /** The row is newer than all that were linked before. */
  link(row: number, group: number): void {
    if (row >= this.#before.length) {
      const longer = new Int32Array(Math.max(row + 1, this.#before.length * 2))
      longer.set(this.#before)
      this.#before = longer
    }
    this.#before[row] = this.#newest[group] ?? NONE
    this.#newest[group] = row
    const sorted = this.#sorted.get(group)
    if (sorted !== undefined) this.#insert(sorted, row)
  }

  /** In order. May have dead rows; changes as rows are linked. */
  rows(text: string): readonly number[] {
    const group = this.#numbers.get(text)
    if (group === undefined) return []
    const sorted = this.#sorted.get(group) ?? this.#sort(group)
    if (sorted.length > KEPT) this.#sorted.set(group, sorted)
    return sorted
  }

  #sort(group: number): number[] {
    const rows: number[] = []
    for (let row = this.#newest[group] ?? NONE; row !== NONE; row = this.#before[row] ?? NONE) {
      if (this.#isAlive(row)) rows.push(row)
    }
    // oldest first, which mostly is in order already: that takes one pass
    return rows.reverse().sort(this.#compare)
  }

  #insert(sorted: number[], row: number): void {
    let low = 0
    let high = sorted.length
    // the newest row mostly is the last
    if (high > 0 && this.#compare(sorted[high - 1] ?? row, row) < 0) low = high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(sorted[middle] ?? row, row) < 0) low = middle + 1
      else high = middle
    }
    sorted.splice(low, 0, row)
  }
}
