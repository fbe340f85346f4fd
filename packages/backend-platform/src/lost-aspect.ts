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
import { micros } from '@ivcap/core/internal'

/** Milliseconds by which the clocks of the deployment and of this machine may differ. */
const CLOCK_SKEW = 60_000
/** Records. Others may write to the same entity and schema meanwhile; a clock that was set back puts the record among older ones. */
const LOOKED_THROUGH = 200
const PAGE = 50

/** `id`: the aspect was stored. `equal`: an equal one is there, but by its time it may be an older one. */
export interface Lost {
  readonly id?: Urn
  readonly equal?: Urn
}

/**
 * Looks for the aspect that `draft` made if the answer with its id was lost. Returns neither id if no equal aspect is in force.
 * Follows pages, since a deployment also limits them by bytes, and may send empty ones.
 *
 * @param begun milliseconds since 1970, before the request was sent
 */
export async function findLost(
  draft: AspectDraft,
  list: (q: AspectQuery) => Promise<Page<AspectRecord>>,
  begun: number,
): Promise<Lost> {
  const content = sorted({ ...draft.content, $schema: draft.schema })
  const query: AspectQuery = {
    entity: draft.entity,
    schema: draft.schema,
    orderBy: 'valid_from',
    orderDirection: 'DESC',
    includeContent: true,
    limit: PAGE,
  }
  const earliest = (begun - CLOCK_SKEW) * 1000
  let cursor: string | undefined
  let equal: Urn | undefined
  let left = LOOKED_THROUGH
  for (let pages = 0; pages < LOOKED_THROUGH && left > 0; pages++) {
    const page = await list({ ...query, ...(cursor !== undefined && { cursor }) })
    for (const record of page.items) {
      if (record.content === undefined || !sameJson(sorted(record.content), content)) continue
      if (record.validFrom !== undefined && micros(record.validFrom) >= earliest) return { id: record.id }
      equal ??= record.id
    }
    left -= page.items.length
    cursor = page.cursor
    if (cursor === undefined) break
  }
  return omitUndefined({ equal })
}

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** With keys in one order: a database keeps none. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]))
}
