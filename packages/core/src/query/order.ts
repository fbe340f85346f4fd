import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'

export type Direction = 'ASC' | 'DESC'
/** A sort key. Texts compare by code unit, numbers by value; absent values come first in ascending order. */
export type SortKey = readonly (string | number | null)[]

/**
 * Parses a comma-separated list of fields such as `schema,valid_from`. Each must be one of `known`; `-` and `_` are equal.
 *
 * @throws IvcapError `invalid-argument`, with the unknown field and the known ones
 */
export function parseOrderBy<F extends string>(orderBy: string, known: readonly F[]): readonly F[] {
  return orderBy.split(',').map((text) => {
    const name = text.trim().toLowerCase().replaceAll('-', '_')
    const field = known.find((f) => f === name)
    if (field !== undefined) return field
    throw new IvcapError(
      'invalid-argument',
      `orderBy has ${show(text.trim())}; it takes a comma list of ${known.join(', ')}`,
      {
        argument: 'orderBy',
      },
    )
  })
}

/** The order is total only if the keys end with the id. */
export function compareKeys(a: SortKey, b: SortKey, direction: Direction): number {
  const sign = direction === 'ASC' ? 1 : -1
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null)
    if (order !== 0) return sign * order
  }
  return 0
}

function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  if (typeof a === typeof b) return a < b ? -1 : 1
  return typeof a === 'number' ? -1 : 1
}
