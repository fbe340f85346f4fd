import type { AspectRecord } from '@ivcap/core/driver'
import { aspectItemToJson, aspectToJson } from '@ivcap/core/internal'
import { ACCOUNT } from '../artifacts/json.js'
import { withMember } from '../http/exchange.js'

/** The policy of aspects that were asserted without one. */
const POLICY = 'urn:ivcap:policy:ivcap.open.metadata'

/** The JSON body of `GET /1/aspects/{id}`. Undefined fields are omitted. */
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

/** The JSON of an item of `GET /1/aspects`. */
export const itemText = (record: AspectRecord): string => withContent(aspectItemToJson(record), record)

/** Adds the content, with `$schema` and `$entity` in it, as text: a copy of an object with many members is slow. */
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
