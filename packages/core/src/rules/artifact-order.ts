import type { ArtifactRecord } from '../model/records.js'
import { parseOrderBy, type SortKey } from '../query/order.js'

/** What artifacts can be ordered by, as IVCAP's API names it. */
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
 * The order that a comma list of fields stands for, `created-at` if there is none: a total one, as the id decides among
 * equals.
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
