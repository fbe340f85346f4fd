import { type ArtifactRecord, artifactUrn } from '@ivcap/core/driver'
import { artifactToJson } from '@ivcap/core/internal'
import type { Pending } from './uploads.js'

/** Of whom nothing else is known. */
export const ACCOUNT = 'urn:ivcap:account:00000000-0000-0000-0000-000000000000'

/** Clients of IVCAP need a time there, whatever the backend tells. */
const LONG_AGO = '1970-01-01T00:00:00Z'

/** The whole record, as `GET /1/artifacts/{id}` tells it; what is undefined isn't told. */
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

/** What a listing tells of an artifact. */
export function artifactItem(record: ArtifactRecord, origin: string): object {
  return {
    id: record.id,
    name: record.name,
    size: record.size,
    'mime-type': record.mimeType,
    status: record.status,
    'created-at': record.createdAt ?? record.lastModifiedAt ?? LONG_AGO,
    href: hrefOf(record.id, origin),
  }
}

/** The record of an artifact that is still on its way. */
export function pendingRecord(uuid: string, { intent, status, size, createdAt }: Pending): ArtifactRecord {
  return {
    id: artifactUrn(uuid),
    status,
    mimeType: intent['mime-type'],
    createdAt,
    ...(intent.name !== undefined && { name: intent.name }),
    ...(intent.policy !== undefined && { policy: intent.policy }),
    ...(size !== undefined && { size }),
  }
}

export function hrefOf(id: string, origin: string): string {
  return `${origin}/1/artifacts/${id}`
}
