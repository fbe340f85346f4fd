import { type ArtifactRecord, artifactUrn } from '@ivcap/core/driver'
import { artifactToJson } from '@ivcap/core/internal'
import type { PendingUpload } from './uploads.js'

/** The account of records without one. */
export const ACCOUNT = 'urn:ivcap:account:00000000-0000-0000-0000-000000000000'

/** IVCAP's clients require a creation time, which some backends do not record. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z'

/** The body of `GET /1/artifacts/{id}`. Undefined fields are omitted. */
export function artifactJson(record: ArtifactRecord, origin: string): object {
  const href = hrefOf(record.id, origin)
  return {
    ...artifactToJson(record),
    account: record.account ?? ACCOUNT,
    'data-href': `${href}/blob`,
    links: [
      { rel: 'self', type: 'application/json', href },
      { rel: 'data', type: record.mimeType ?? 'application/octet-stream', href: `${href}/blob` },
    ],
  }
}

/** An item of `GET /1/artifacts`. */
export function artifactItem(record: ArtifactRecord, origin: string): object {
  return {
    id: record.id,
    name: record.name,
    size: record.size,
    'mime-type': record.mimeType,
    status: record.status,
    'created-at': record.createdAt ?? record.lastModifiedAt ?? UNKNOWN_TIME,
    href: hrefOf(record.id, origin),
  }
}

/** The record of an artifact whose upload is unfinished. */
export function pendingRecord(
  uuid: string,
  { metadata, status, size, createdAt }: PendingUpload,
): ArtifactRecord {
  return {
    id: artifactUrn(uuid),
    status,
    mimeType: metadata['mime-type'],
    createdAt,
    ...(metadata.name !== undefined && { name: metadata.name }),
    ...(metadata.policy !== undefined && { policy: metadata.policy }),
    ...(size !== undefined && { size }),
  }
}

export function hrefOf(id: string, origin: string): string {
  return `${origin}/1/artifacts/${id}`
}
