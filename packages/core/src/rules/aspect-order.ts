import type { AspectRecord } from '../model/records.js'
import { parseOrderBy, type SortKey } from '../query/order.js'

/** The fields by which aspects can be ordered, in the spelling of IVCAP's API. */
export const ASPECT_ORDER_FIELDS = [
  'entity',
  'schema',
  'content',
  'policy',
  'account',
  'created_by',
  'retracted_by',
  'replaces',
  'valid_from',
  'valid_to',
] as const
export type AspectOrderField = (typeof ASPECT_ORDER_FIELDS)[number]

/**
 * Parses a comma-separated list of fields. The order is total: the id is the last key.
 *
 * @throws IvcapError `invalid-argument` for an unknown field
 */
export function aspectOrder(orderBy: string): {
  readonly fields: readonly AspectOrderField[]
  readonly keyOf: (record: AspectRecord) => SortKey
} {
  const fields = parseOrderBy(orderBy, ASPECT_ORDER_FIELDS)
  return { fields, keyOf: (record) => [...fields.map((field) => VALUE[field](record) ?? null), record.id] }
}

const VALUE: Record<AspectOrderField, (record: AspectRecord) => string | undefined> = {
  entity: (r) => r.entity,
  schema: (r) => r.schema,
  content: (r) => r.content && JSON.stringify(r.content),
  policy: (r) => r.policy,
  account: (r) => r.account,
  created_by: (r) => r.asserter,
  retracted_by: (r) => r.retracter,
  replaces: (r) => r.replaces,
  valid_from: (r) => r.validFrom,
  valid_to: (r) => r.validTo,
}
