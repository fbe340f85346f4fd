import type { Page } from '@ivcap/core/driver'

type Listing<T> = (cursor: string | undefined) => Promise<Page<T>>

/** Reads a listing to its end, page by page. */
export async function* pagesOf<T>(list: Listing<T>): AsyncGenerator<Page<T>> {
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await list(cursor)
    yield page
    cursor = page.cursor
    if (cursor !== undefined && seen.has(cursor)) throw new Error('the listing goes round in a circle')
    if (cursor !== undefined) seen.add(cursor)
  } while (cursor !== undefined)
}

/** Returns all items of a listing. */
export async function allOf<T>(list: Listing<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const page of pagesOf(list)) items.push(...page.items)
  return items
}
