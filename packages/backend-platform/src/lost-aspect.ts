import {
  type AspectDraft,
  type AspectQuery,
  type AspectRecord,
  isJsonObject,
  type JsonValue,
  micros,
  type Page,
  type Urn,
} from '@ivcap/core/driver'

/** Milliseconds that the deployment's clock may be behind ours. */
const SKEW = 60_000
/** As many as may be written in that time by others; the one that is looked for is among the newest. */
const LOOKED_THROUGH = 50

/**
 * The aspect that `draft` made, though the answer that should have named it was lost; undefined where there is none. Follows pages:
 * a deployment bounds them by bytes, too, and may send empty ones.
 */
export async function findLost(
  draft: AspectDraft,
  list: (q: AspectQuery) => Promise<Page<AspectRecord>>,
  begun: number,
): Promise<Urn | undefined> {
  const query: AspectQuery = {
    entity: draft.entity,
    schema: draft.schema,
    orderBy: 'valid_from',
    orderDirection: 'DESC',
    includeContent: true,
    limit: LOOKED_THROUGH,
  }
  const earliest = (begun - SKEW) * 1000
  const isSince = ({ validFrom }: AspectRecord) => validFrom !== undefined && micros(validFrom) >= earliest
  const isIt = (record: AspectRecord) =>
    isSince(record) &&
    record.content !== undefined &&
    sameJson(record.content, { ...draft.content, $schema: draft.schema })
  let cursor: string | undefined
  let left = LOOKED_THROUGH
  for (let pages = 0; pages < LOOKED_THROUGH; pages++) {
    const page = await list({ ...query, ...(cursor !== undefined && { cursor }) })
    const found = page.items.find(isIt)
    if (found !== undefined) return found.id
    left -= page.items.length
    cursor = page.cursor
    // newest first: what comes after an older one is older
    if (cursor === undefined || left <= 0 || !page.items.every(isSince)) return undefined
  }
  return undefined
}

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

/** With keys in one order: a database keeps none. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]))
}
