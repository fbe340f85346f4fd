import { IvcapError } from '../model/errors.js'

/** Maximum number of consecutive empty pages: servers skip deleted keys one page at a time. */
const MOST_EMPTY = 1_000

/**
 * Ensures that a listing makes progress with each page. Without it, a server that repeats a token, lists keys out of order, or
 * returns empty pages without end would cause an endless loop.
 */
export class ListProgress {
  readonly #server: string
  readonly #resource: string
  readonly #tokens = new Set<string>()
  #last: string | undefined

  /** @param last all keys must come after this one */
  constructor(server: string, resource: string, last?: string) {
    this.#server = server
    this.#resource = resource
    this.#last = last
  }

  /** @throws IvcapError `protocol` unless `key` comes after all earlier keys */
  key(key: string): void {
    if (this.#last !== undefined && !follows(key, this.#last)) {
      const order = `${JSON.stringify(key.slice(0, 200))} after ${JSON.stringify(this.#last.slice(0, 200))}`
      throw this.#error(`keys out of order (${order}), so that the listing would not end`)
    }
    this.#last = key
    this.#tokens.clear()
  }

  /**
   * Checks and returns the token of the next page.
   *
   * @throws IvcapError `protocol` if there is no token, or if it was used before and no key has come since
   */
  next(token: string | undefined): string {
    if (token === undefined || token === '')
      throw this.#error('a page that is not the last, without keys and without a token for the next one')
    if (this.#tokens.has(token))
      throw this.#error('the same token again, with no key since it gave it before')
    if (this.#tokens.size >= MOST_EMPTY) throw this.#error(`${MOST_EMPTY} empty pages in a row`)
    this.#tokens.add(token)
    return token
  }

  #error(what: string): IvcapError {
    const message = `${this.#server} answers a listing of ${this.#resource} with ${what}: check the endpoint`
    return new IvcapError('protocol', message, { resource: this.#resource })
  }
}

/** Compares by UTF-8, the order of servers. JavaScript compares UTF-16, which differs for surrogate pairs only. */
function follows(key: string, before: string): boolean {
  if (!/[\ud800-\udfff]/.test(key + before)) return key > before
  const [a, b] = [key, before].map((text) => [...text])
  return a !== undefined && b !== undefined && compareCodePoints(a, b) > 0
}

function compareCodePoints(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i]?.codePointAt(0) ?? 0) - (b[i]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
