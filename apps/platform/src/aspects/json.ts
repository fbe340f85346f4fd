import type { AspectRecord } from '@ivcap/core/driver'
import { ACCOUNT } from '../artifacts/json.js'

/** The policy of what was asserted without one. */
const POLICY = 'urn:ivcap:policy:ivcap.open.metadata'

/** The whole record, as `GET /1/aspects/{id}` tells it; what is undefined isn't told. */
export function aspectJson(record: AspectRecord, origin: string): object {
  const { id, retracter, replaces } = record
  return {
    ...aspectItem(record),
    asserter: record.asserter ?? ACCOUNT,
    retracter,
    account: record.account ?? ACCOUNT,
    policy: record.policy ?? POLICY,
    replaces,
    links: [{ rel: 'self', type: 'application/json', href: `${origin}/1/aspects/${id}` }],
  }
}

/** What a listing tells of an aspect. */
export function aspectItem({ id, entity, schema, content, validFrom, validTo }: AspectRecord): object {
  return {
    id,
    entity,
    schema,
    'content-type': 'application/json',
    'valid-from': validFrom,
    'valid-to': validTo,
    ...(content !== undefined && { content: { $schema: schema, $entity: entity, ...content } }),
  }
}
