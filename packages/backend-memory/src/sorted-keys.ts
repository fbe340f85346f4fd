const LARGEST_BLOCK = 512

/** Keys in ASCII order. They are stored in blocks, so that adding a key moves only few others. */
export class SortedKeys {
  /** A block is empty only if it is the only one. */
  readonly #blocks: string[][] = [[]]

  /** Ignores a key that already exists. */
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

  /** Returns the first key at or above `bound`; with `after`, the first key above it. */
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

/** Returns the index of the first item for which `isPast` is true; the length if it is true for none. */
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
