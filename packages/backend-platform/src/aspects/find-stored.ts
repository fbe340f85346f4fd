import {
  type AspectDraft,
  type AspectQuery,
  type AspectRecord,
  isJsonObject,
  type JsonValue,
  omitUndefined,
  type Page,
  type Urn,
} from '@ivcap/core/driver'
import { micros, PageProgress } from '@ivcap/core/internal'

/** Maximum difference between the clocks of the deployment and of this machine, in ms. */
const CLOCK_SKEW = 60_000
/**
 * Maximum number of records that are searched. Other processes may write to the same entity and schema, and after a clock was set
 * back, newer records come later.
 */
const MAX_SEARCHED = 200
/** Maximum page size of IVCAP's API. */
const PAGE = 50

/** `id`: the aspect was stored. `equal`: an equal aspect is in force, but by its time it may be older. Neither: not found. */
export interface StoredAspect {
  readonly id?: Urn
  readonly equal?: Urn
}

/**
 * Searches for the aspect that `draft` made, if the response with its id was lost. Follows pages, because a deployment also
 * limits them by bytes, and may send empty pages.
 *
 * @param startedAt milliseconds since 1970, before the request was sent
 */
export async function findStored(
  draft: AspectDraft,
  list: (q: AspectQuery) => Promise<Page<AspectRecord>>,
  startedAt: number,
): Promise<StoredAspect> {
  const content = sorted({ ...draft.content, $schema: draft.schema })
  const query: AspectQuery = {
    entity: draft.entity,
    schema: draft.schema,
    orderBy: 'valid_from',
    orderDirection: 'DESC',
    includeContent: true,
    limit: PAGE,
  }
  const earliest = (startedAt - CLOCK_SKEW) * 1000
  let cursor: string | undefined
  let equal: Urn | undefined
  let left = MAX_SEARCHED
  const progress = new PageProgress()
  while (left > 0) {
    const page = await list({ ...query, ...(cursor !== undefined && { cursor }) })
    for (const record of page.items) {
      if (record.content === undefined || !sameJson(sorted(record.content), content)) continue
      if (record.validFrom !== undefined && micros(record.validFrom) >= earliest) return { id: record.id }
      equal ??= record.id
    }
    left -= page.items.length
    cursor = page.cursor
    if (cursor === undefined) break
    progress.check(cursor, page.items)
  }
  return omitUndefined({ equal })
}

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Sorts the keys: a database does not keep their order. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]))
}
