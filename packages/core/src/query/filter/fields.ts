import { isJsonObject, type JsonValue } from '../../model/json.js'
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import type { ServiceRecord } from '../../model/services.js'

/** `any`: a member of the content, whose type may differ in each record. */
export type FieldType = 'text' | 'number' | 'time' | 'any'

export interface Field<R> {
  readonly type: FieldType
  readonly of: (record: R) => JsonValue | undefined
}

/** Finds fields by name. `known` lists the fields for error messages. */
export interface Fields<R> {
  readonly known: string
  readonly find: (name: string) => Field<R> | undefined
}

type Table<R> = Readonly<Record<string, Field<R>>>

const text = <R>(of: (record: R) => string | undefined): Field<R> => ({ type: 'text', of })
const time = <R>(of: (record: R) => string | undefined): Field<R> => ({ type: 'time', of })

const artifact: Table<ArtifactRecord> = {
  id: text((r) => r.id),
  name: text((r) => r.name),
  status: text((r) => r.status),
  size: { type: 'number', of: (r) => r.size },
  'mime-type': text((r) => r.mimeType),
  etag: text((r) => r.etag),
  'created-at': time((r) => r.createdAt),
  'last-modified-at': time((r) => r.lastModifiedAt),
  policy: text((r) => r.policy),
  account: text((r) => r.account),
  'cache-of': text((r) => r.cacheOf),
  sha256: text((r) => r.sha256),
}

const aspect: Table<AspectRecord> = {
  id: text((r) => r.id),
  entity: text((r) => r.entity),
  schema: text((r) => r.schema),
  policy: text((r) => r.policy),
  account: text((r) => r.account),
  asserter: text((r) => r.asserter),
  retracter: text((r) => r.retracter),
  'created-by': text((r) => r.asserter),
  'retracted-by': text((r) => r.retracter),
  replaces: text((r) => r.replaces),
  'valid-from': time((r) => r.validFrom),
  'valid-to': time((r) => r.validTo),
}

const service: Table<ServiceRecord> = {
  id: text((r) => r.id),
  name: text((r) => r.name),
  description: text((r) => r.description),
  status: text((r) => r.status),
  policy: text((r) => r.policy),
  account: text((r) => r.account),
  'valid-from': time((r) => r.validFrom),
  'valid-to': time((r) => r.validTo),
}

export const artifactFields: Fields<ArtifactRecord> = {
  known: Object.keys(artifact).join(', '),
  find: (name) => named(artifact, name),
}

export const aspectFields: Fields<AspectRecord> = {
  known: `${Object.keys(aspect).join(', ')}, and content.<member> for what the aspect says`,
  find: (name) => named(aspect, name) ?? memberOf(name),
}

export const serviceFields: Fields<ServiceRecord> = {
  known: Object.keys(service).join(', '),
  find: (name) => named(service, name),
}

/** Ignores case, and treats `-` and `_` as equal: `mime-type`, `mime_type`, `MIME-Type`. */
function named<R>(table: Table<R>, name: string): Field<R> | undefined {
  const key = name.toLowerCase().replaceAll('_', '-')
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** `content.a.b`: a member of the content, by its exact name. */
function memberOf(name: string): Field<AspectRecord> | undefined {
  const [content, ...path] = name.split('.')
  if (content?.toLowerCase() !== 'content' || path.length === 0) return undefined
  return {
    type: 'any',
    of: (record) => {
      let value: JsonValue | undefined = record.content
      for (const key of path) {
        if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined
        value = value[key]
      }
      return value
    },
  }
}
