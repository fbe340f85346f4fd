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

/** The aspect that `draft` made, though the answer that should have named it was lost; undefined where there is none. */
export async function findLost(
  draft: AspectDraft,
  list: (q: AspectQuery) => Promise<Page<AspectRecord>>,
  begun: number,
): Promise<Urn | undefined> {
  const { items } = await list({
    entity: draft.entity,
    schema: draft.schema,
    orderBy: 'valid_from',
    orderDirection: 'DESC',
    includeContent: true,
    limit: LOOKED_THROUGH,
  })
  const isIt = ({ content, validFrom }: AspectRecord) =>
    content !== undefined &&
    validFrom !== undefined &&
    micros(validFrom) >= (begun - SKEW) * 1000 &&
    sameJson(content, { ...draft.content, $schema: draft.schema })
  return items.find(isIt)?.id
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
