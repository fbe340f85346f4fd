import { type AspectQuery, type AspectRecord, aspectUrn, type Timestamp } from '@ivcap/core/driver'
import {
  type AspectOrderField,
  aspectUuid,
  pageOf,
  type Slice,
  type SortKey,
  schemaMatcher,
} from '@ivcap/core/internal'
import { compareFacts, type Entry, type FactTable } from './facts.js'

/** Fields that the index has. */
const INDEXED: readonly AspectOrderField[] = ['entity', 'schema', 'valid_from']
/** Entries sorted at a time if the index does not have the order. */
const CHUNK = 256

/** Returns the entries of the query's entity and schema that the index has as in force, ordered by validFrom and uuid. */
export function candidates(
  table: FactTable,
  { entity, schema }: Pick<AspectQuery, 'entity' | 'schema'>,
  at: Timestamp | undefined,
): readonly Entry[] {
  const isInForce = ({ validFrom = '', validTo }: Entry) =>
    at === undefined ? validTo === undefined : validFrom <= at && (validTo === undefined || at < validTo)
  if (schema === undefined) return table.of({ ...(entity !== undefined && { entity }) }).filter(isInForce)
  const schemas = new Set(table.schemas.filter(schemaMatcher(schema)))
  const [only, ...others] = schemas
  if (only === undefined) return []
  if (entity === undefined && others.length === 0) return table.of({ schema: only }).filter(isInForce)
  const entries = table.of({ ...(entity !== undefined && { entity }) })
  return entries.filter((entry) => schemas.has(entry.schema) && isInForce(entry))
}

/** Returns up to `most` candidates after `after`, in the order of validFrom. `isAll`: no more entries follow. */
export function choose(
  entries: readonly Entry[],
  { direction, after }: Omit<Slice, 'limit'>,
  most: number,
): { readonly chosen: readonly Entry[]; readonly isAll: boolean } {
  const { above, below } = positionOf(entries, after)
  if (direction === 'ASC')
    return { chosen: entries.slice(above, above + most), isAll: entries.length - above <= most }
  const chosen = entries.slice(Math.max(0, below + 1 - most), below + 1).reverse()
  return { chosen, isAll: below + 1 <= most }
}

/** True for the order of the index, which `choose` requires. */
export const isIndexOrder = (fields: readonly AspectOrderField[]): boolean => fields.join() === 'valid_from'

/** True if `inOrder` can sort by these fields without reading records. */
export const isIndexed = (fields: readonly AspectOrderField[]): boolean =>
  fields.every((field) => INDEXED.includes(field))

/** Entries after `after`, in the order of the fields, with their keys. */
export async function* inOrder(
  entries: readonly Entry[],
  fields: readonly AspectOrderField[],
  keyOf: (record: AspectRecord) => SortKey,
  { direction, after }: Omit<Slice, 'limit'>,
): AsyncGenerator<{ readonly entry: Entry; readonly key: SortKey }> {
  const keyed = (entry: Entry) => ({ entry, key: keyOf(known(entry)) })
  if (isIndexOrder(fields)) {
    for (const entry of entries) yield keyed(entry)
    return
  }
  for (let last = after; ; ) {
    const slice = { direction, limit: CHUNK, ...(last && { after: last }) }
    const page = await pageOf(entries.map(keyed), ({ key }) => key, slice)
    yield* page.items
    if (page.last === undefined) return
    last = page.last
  }
}

/** The indices of the first entry above and the last entry below a key. */
function positionOf(entries: readonly Entry[], key: SortKey | undefined) {
  const [from = null, id = ''] = key ?? []
  const uuid = typeof id === 'string' ? aspectUuid(id) : undefined
  if (uuid === undefined || typeof from === 'number') return { above: 0, below: entries.length - 1 }
  const position = { uuid, validFrom: from ?? undefined }
  const below = lowerBound(entries, (entry) => compareFacts(entry, position) < 0)
  const above = lowerBound(entries, (entry) => compareFacts(entry, position) <= 0)
  return { above, below: below - 1 }
}

/** Returns the number of leading entries for which `isBefore` is true. */
function lowerBound(entries: readonly Entry[], isBefore: (entry: Entry) => boolean): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && isBefore(entry)) low = middle + 1
    else high = middle
  }
  return low
}

/** The record with only the fields that the index has. */
const known = ({ uuid, entity, schema, validFrom }: Entry): AspectRecord => ({
  id: aspectUrn(uuid),
  entity,
  schema,
  ...(validFrom !== undefined && { validFrom }),
})
