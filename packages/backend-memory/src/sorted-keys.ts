const LARGEST_BLOCK = 512

/** Keys in ASCII order, in blocks, so that adding one among many moves few. */
export class SortedKeys {
  /** None is empty but a single one. */
  readonly #blocks: string[][] = [[]]

  /** Ignores a key that is there. */
  add(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#blocks[at] ?? []
    const index = firstIndex(block, (other) => other >= key)
    if (block[index] === key) return
    block.splice(index, 0, key)
    if (block.length > LARGEST_BLOCK) this.#blocks.splice(at + 1, 0, block.splice(LARGEST_BLOCK / 2))
  }

  delete(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#blocks[at] ?? []
    const index = firstIndex(block, (other) => other >= key)
    if (block[index] !== key) return
    block.splice(index, 1)
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1)
  }

  /** The first key that is not below `bound`, or with `after`, that is above it. */
  first(bound: string, after = false): string | undefined {
    const at = this.#blockOf(bound)
    const block = this.#blocks[at] ?? []
    const index = firstIndex(block, (key) => (after ? key > bound : key >= bound))
    return block[index] ?? this.#blocks[at + 1]?.[0]
  }

  /** The last block that begins at or below the key. */
  #blockOf(key: string): number {
    return Math.max(firstIndex(this.#blocks, ([first = '']) => first > key) - 1, 0)
  }
}

/** The index of the first item from which on the test is true; the length if there is none. */
function firstIndex<T>(items: readonly T[], isPast: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && isPast(item)) high = middle
    else low = middle + 1
  }
  return low
}
