import { IvcapError } from '../model/errors.js'

/** Maximum number of consecutive empty pages. */
const MOST_EMPTY_PAGES = 100
/** Number of repeated pages that counts as a failure: a list that changes during the listing may repeat a short page. */
const MOST_REPEATS = 3

/**
 * Ensures that a listing ends. Fails on a page that leads back to an earlier one, on too many empty pages, and on pages that repeat
 * the same items under new cursors. Remembers one earlier page, which is replaced after 1, 2, 4, 8… pages (Brent's algorithm). So
 * a cycle of any length is detected within about three times its length.
 */
export class PageProgress {
  #empty = 0
  #repeats = 0
  #steps = 0
  #power = 1
  #saved: { readonly cursor: string; readonly items: string } | undefined

  /**
   * Must be called for each page that has a next one.
   *
   * @param cursor the cursor of the next page
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

/** Identifies a record by its id, and any other item by its whole value. */
function idOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'id' in item ? item.id : item
}

function stuck(how: string): IvcapError {
  return new IvcapError('protocol', `the list never ends: ${how}`, { retryable: false })
}
