import type { AspectRecord } from '@ivcap/core/driver'
import { ACCOUNT } from '../artifacts/json.js'
import { withMember } from '../http/reply.js'

/** The policy of what was asserted without one. */
const POLICY = 'urn:ivcap:policy:ivcap.open.metadata'

/** The whole record as JSON, as `GET /1/aspects/{id}` tells it; what is undefined isn't told. */
export function aspectText(record: AspectRecord, origin: string): string {
  const { id, retracter, replaces } = record
  const rest = {
    ...facts(record),
    asserter: record.asserter ?? ACCOUNT,
    retracter,
    account: record.account ?? ACCOUNT,
    policy: record.policy ?? POLICY,
    replaces,
    links: [{ rel: 'self', type: 'application/json', href: `${origin}/1/aspects/${id}` }],
  }
  return withContent(rest, record)
}

/** What a listing tells of an aspect, as JSON. */
export const itemText = (record: AspectRecord): string => withContent(facts(record), record)

function facts({ id, entity, schema, validFrom, validTo }: AspectRecord): object {
  return {
    id,
    entity,
    schema,
    'content-type': 'application/json',
    'valid-from': validFrom,
    'valid-to': validTo,
  }
}

/** With the content, schema and entity in it: not by a copy of it, which takes long where it has many members. */
function withContent(rest: object, { entity, schema, content }: AspectRecord): string {
  if (content === undefined) return JSON.stringify(rest)
  const own = JSON.stringify(content)
  const missing = {
    ...(!Object.hasOwn(content, '$schema') && { $schema: schema }),
    ...(!Object.hasOwn(content, '$entity') && { $entity: entity }),
  }
  const first = JSON.stringify(missing)
  const joined = own === '{}' || first === '{}' ? '' : ','
  return withMember(rest, 'content', `${first.slice(0, -1)}${joined}${own.slice(1)}`)
}
