import { IvcapError } from '../model/errors.js'

/** Pages without an item, one after the other, after which a listing is given up. */
const MOST_EMPTY_PAGES = 100
/** Times that items which were listed before may come again: a list that changes meanwhile may repeat a short page. */
const MOST_REPEATS = 3

/**
 * Proves that following the pages of a listing comes to an end: fails on a page that leads back to an earlier one, on pages that
 * stay empty, and on pages that bring the same items again and again under new cursors. Keeps one earlier page in mind, replaced
 * after 1, 2, 4, 8… pages (Brent's algorithm), so a circle of any length is found within about three times its length.
 */
export class PageProgress {
  #empty = 0
  #repeats = 0
  #steps = 0
  #power = 1
  #saved: { readonly cursor: string; readonly items: string } | undefined

  /**
   * Call for each page that names a next one.
   *
   * @param cursor what leads to the next page
   * @throws IvcapError `protocol`
   */
  check(cursor: string, items: readonly unknown[]): void {
    this.#empty = items.length === 0 ? this.#empty + 1 : 0
    if (this.#empty > MOST_EMPTY_PAGES)
      throw stuck(`${this.#empty} pages in a row are empty and name a next page`)
    const saved = this.#saved
    const fingerprint = items.length === 0 ? '' : JSON.stringify(items.map(idOf))
    if (saved?.cursor === cursor) throw stuck('its next pages lead back to an earlier page')
    if (fingerprint !== '' && saved?.items === fingerprint) {
      this.#repeats += 1
      if (this.#repeats >= MOST_REPEATS) throw stuck('its next pages bring the same items again')
    }
    this.#steps += 1
    if (saved !== undefined && this.#steps < this.#power) return
    this.#saved = { cursor, items: fingerprint }
    this.#steps = 0
    this.#power *= saved === undefined ? 1 : 2
  }
}

/** Records are told apart by their ids, anything else by all that it is. */
function idOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'id' in item ? item.id : item
}

function stuck(how: string): IvcapError {
  return new IvcapError('protocol', `the list never ends: ${how}`, { retryable: false })
}
