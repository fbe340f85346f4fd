import type { ArtifactRecord } from '../model/records.js'
import { parseOrderBy, type SortKey } from '../query/order.js'

/** The fields by which artifacts can be ordered, in the spelling of IVCAP's API. */
export const ARTIFACT_ORDER_FIELDS = [
  'id',
  'name',
  'status',
  'size',
  'mime_type',
  'created_at',
  'last_modified_at',
  'policy',
  'account',
] as const
export type ArtifactOrderField = (typeof ARTIFACT_ORDER_FIELDS)[number]

/**
 * Parses a comma-separated list of fields; without one, the order is by `created-at`. The order is total: the id is the last key.
 *
 * @throws IvcapError `invalid-argument` for an unknown field
 */
export function artifactOrder(orderBy: string | undefined): {
  readonly fields: readonly ArtifactOrderField[]
  readonly keyOf: (record: ArtifactRecord) => SortKey
} {
  const fields = parseOrderBy(orderBy ?? 'created-at', ARTIFACT_ORDER_FIELDS)
  return { fields, keyOf: (record) => [...fields.map((field) => VALUE[field](record) ?? null), record.id] }
}

const VALUE: Record<ArtifactOrderField, (record: ArtifactRecord) => string | number | undefined> = {
  id: (r) => r.id,
  name: (r) => r.name,
  status: (r) => r.status,
  size: (r) => r.size,
  mime_type: (r) => r.mimeType,
  created_at: (r) => r.createdAt,
  last_modified_at: (r) => r.lastModifiedAt,
  policy: (r) => r.policy,
  account: (r) => r.account,
}
