import type { AspectRecord } from '@ivcap/core/driver'
import { aspectItemToJson, aspectToJson } from '@ivcap/core/internal'
import { ACCOUNT } from '../artifacts/json.js'
import { withMember } from '../http/exchange.js'

/** The policy of what was asserted without one. */
const POLICY = 'urn:ivcap:policy:ivcap.open.metadata'

/** The whole record as JSON, as `GET /1/aspects/{id}` tells it; what is undefined isn't told. */
export function aspectText(record: AspectRecord, origin: string): string {
  const rest = {
    ...aspectToJson(record),
    asserter: record.asserter ?? ACCOUNT,
    account: record.account ?? ACCOUNT,
    policy: record.policy ?? POLICY,
    links: [{ rel: 'self', type: 'application/json', href: `${origin}/1/aspects/${record.id}` }],
  }
  return withContent(rest, record)
}

/** What a listing tells of an aspect, as JSON. */
export const itemText = (record: AspectRecord): string => withContent(aspectItemToJson(record), record)

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
