import {
  type AspectOrderField,
  type AspectQuery,
  type AspectRecord,
  aspectUrn,
  aspectUuid,
  micros,
  pageOf,
  type Slice,
  type SortKey,
  schemaMatcher,
  type Timestamp,
} from '@ivcap/core/driver'
import type { AspectTable } from './aspect-table.js'

/** What the index tells of a record without reading it. */
const INDEXED: readonly AspectOrderField[] = ['entity', 'schema', 'valid_from']
/** Rows put in order at a time, where the index does not keep them so. */
const CHUNK = 256

/**
 * Rows that may be what a query asks for, by validFrom and uuid: those of its entity and schema that are in force as far as
 * the index knows.
 */
export function candidates(
  table: AspectTable,
  { entity, schema }: Pick<AspectQuery, 'entity' | 'schema'>,
  at: Timestamp | undefined,
): number[] {
  const schemas = new Set(table.schemas.filter(schemaMatcher(schema)))
  if (schemas.size === 0) return []
  const time = at === undefined ? undefined : micros(at)
  return rowsOf(table, entity, schema, [...schemas]).filter(
    (row) =>
      table.isAlive(row) &&
      (time === undefined ? table.isOpen(row) : table.maybeAt(row, time)) &&
      (schema === undefined || schemas.has(table.schema(row))),
  )
}

function rowsOf(
  table: AspectTable,
  entity: string | undefined,
  schema: string | undefined,
  schemas: string[],
) {
  const [only = '', ...others] = schemas
  if (entity !== undefined) return table.rows({ entity })
  return schema !== undefined && others.length === 0 ? table.rows({ schema: only }) : table.rows()
}

/** Whether `inOrder` can put rows in the order of these fields without reading their records. */
export const isIndexed = (fields: readonly AspectOrderField[]): boolean =>
  fields.every((field) => INDEXED.includes(field))

/** Candidates after `after`, in the order of the fields, with their keys. */
export async function* inOrder(
  table: AspectTable,
  rows: readonly number[],
  fields: readonly AspectOrderField[],
  keyOf: (record: AspectRecord) => SortKey,
  { direction, after }: Omit<Slice, 'limit'>,
): AsyncGenerator<{ readonly uuid: string; readonly key: SortKey }> {
  const keyed = (row: number) => ({ uuid: table.uuid(row), key: keyOf(known(table, row)) })
  const place = fields.join() === 'valid_from' ? placeOf(table, rows, after) : undefined
  if (place !== undefined) {
    const step = direction === 'ASC' ? 1 : -1
    const start = direction === 'ASC' ? place.above : place.below
    for (let i = start; i >= 0 && i < rows.length; i += step) yield keyed(rows[i] ?? 0)
    return
  }
  for (let last = after; ; ) {
    const slice = { direction, limit: CHUNK, ...(last && { after: last }) }
    const page = await pageOf(rows.map(keyed), ({ key }) => key, slice)
    yield* page.items
    if (page.last === undefined) return
    last = page.last
  }
}

/** The indices of the first row above and the last row below a key; undefined for a key that no order by validFrom has. */
function placeOf(table: AspectTable, rows: readonly number[], key: SortKey | undefined) {
  if (key === undefined) return { above: 0, below: rows.length - 1 }
  const [from, id] = key
  const uuid = typeof id === 'string' ? aspectUuid(id) : undefined
  if (uuid === undefined || from === undefined || typeof from === 'number') return undefined
  const below = lowerBound(rows, (row) => table.compareTo(row, from, uuid) < 0)
  const above = lowerBound(rows, (row) => table.compareTo(row, from, uuid) <= 0)
  return { above, below: below - 1 }
}

/** How many of the rows, from the first on, are before. */
function lowerBound(rows: readonly number[], isBefore: (row: number) => boolean): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(rows[middle] ?? 0)) low = middle + 1
    else high = middle
  }
  return low
}

/** As much of the record as the index knows. */
function known(table: AspectTable, row: number): AspectRecord {
  const validFrom = table.validFrom(row)
  return {
    id: aspectUrn(table.uuid(row)),
    entity: table.entity(row),
    schema: table.schema(row),
    ...(validFrom !== undefined && { validFrom }),
  }
}
