import { type AspectQuery, type AspectRecord, aspectUrn, type Timestamp } from '@ivcap/core/driver'
import {
  type AspectOrderField,
  aspectUuid,
  micros,
  pageOf,
  type Slice,
  type SortKey,
  schemaMatcher,
} from '@ivcap/core/internal'
import type { AspectTable } from './aspect-table.js'

/** What the index tells of a record without reading it. */
const INDEXED: readonly AspectOrderField[] = ['entity', 'schema', 'valid_from']
/** Rows put in order at a time, where the index does not keep them so. */
const CHUNK = 256

/** Rows by validFrom and uuid, and which of them may be what a query asks for. The list changes when the table does. */
export interface Candidates {
  readonly rows: readonly number[]
  /** Of the query's entity and schema, and in force as far as the index knows. */
  readonly fits: (row: number) => boolean
}

export function candidates(
  table: AspectTable,
  { entity, schema }: Pick<AspectQuery, 'entity' | 'schema'>,
  at: Timestamp | undefined,
): Candidates {
  const schemas = new Set(table.schemas.filter(schemaMatcher(schema)))
  const [only, ...others] = schemas
  const time = at === undefined ? undefined : micros(at)
  const fits = (row: number) =>
    table.isAlive(row) &&
    (time === undefined ? table.isOpen(row) : table.maybeAt(row, time)) &&
    (schema === undefined || schemas.has(table.schema(row)))
  if (only === undefined) return { rows: [], fits }
  if (entity !== undefined) return { rows: table.rows({ entity }), fits }
  return {
    rows: schema !== undefined && others.length === 0 ? table.rows({ schema: only }) : table.rows(),
    fits,
  }
}

/** The last of the candidates: the one that began last. */
export function newestOf({ rows, fits }: Candidates): number | undefined {
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]
    if (row !== undefined && fits(row)) return row
  }
  return undefined
}

/** Up to `most` candidates from `after` on, in the order of validFrom; `isAll`: no more follow. */
export function choose(
  table: AspectTable,
  { rows, fits }: Candidates,
  { direction, after }: Omit<Slice, 'limit'>,
  most: number,
): { readonly chosen: readonly number[]; readonly isAll: boolean } {
  const { above, below } = placeOf(table, rows, after)
  const step = direction === 'ASC' ? 1 : -1
  const chosen: number[] = []
  for (let i = step > 0 ? above : below; i >= 0 && i < rows.length; i += step) {
    const row = rows[i]
    if (row === undefined || !fits(row)) continue
    if (chosen.length === most) return { chosen, isAll: false }
    chosen.push(row)
  }
  return { chosen, isAll: true }
}

/** Whether `choose` knows that order. */
export const isKept = (fields: readonly AspectOrderField[]): boolean => fields.join() === 'valid_from'

/** Whether `inOrder` can put rows in the order of these fields without reading their records. */
export const isIndexed = (fields: readonly AspectOrderField[]): boolean =>
  fields.every((field) => INDEXED.includes(field))

/** Rows after `after`, in the order of the fields, with their keys. */
export async function* inOrder(
  table: AspectTable,
  rows: readonly number[],
  fields: readonly AspectOrderField[],
  keyOf: (record: AspectRecord) => SortKey,
  { direction, after }: Omit<Slice, 'limit'>,
): AsyncGenerator<{ readonly uuid: string; readonly key: SortKey }> {
  const keyed = (row: number) => ({ uuid: table.uuid(row), key: keyOf(known(table, row)) })
  if (isKept(fields)) {
    for (const row of rows) yield keyed(row)
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

/** The indices of the first row above and the last row below a key. */
function placeOf(table: AspectTable, rows: readonly number[], key: SortKey | undefined) {
  const [from = null, id = ''] = key ?? []
  const uuid = typeof id === 'string' ? aspectUuid(id) : undefined
  if (uuid === undefined || typeof from === 'number') return { above: 0, below: rows.length - 1 }
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
