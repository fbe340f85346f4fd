import * as v from 'valibot'
import { isJsonObject, type JsonObject } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import type { AspectRecord } from '../model/records.js'
import { OptionalUrn, StrictTime, Text, Time, UrnText } from './fields.js'

/** The members of an aspect in a listing, without its content. JSON omits undefined ones. */
export const aspectItemToJson = ({ id, entity, schema, validFrom, validTo }: AspectRecord) => ({
  id,
  entity,
  schema,
  'content-type': 'application/json',
  'valid-from': validFrom,
  'valid-to': validTo,
})

/** The members of `GET /1/aspects/{id}` that come from the record, without its content. JSON omits undefined ones. */
export const aspectToJson = (record: AspectRecord) => ({
  ...aspectItemToJson(record),
  asserter: record.asserter,
  retracter: record.retracter,
  account: record.account,
  policy: record.policy,
  replaces: record.replaces,
})

/**
 * Parses `GET /1/aspects/{id}`, and the items of a listing, which have fewer members. The record's `content` has `$schema` and no
 * `$entity`.
 */
export const aspectFromJson = v.pipe(
  v.object({
    id: UrnText,
    entity: v.string(),
    schema: v.string(),
    content: v.fallback(v.optional(v.custom<JsonObject>(isJsonObject)), undefined),
    'valid-from': Time,
    'valid-to': StrictTime,
    asserter: Text,
    retracter: Text,
    policy: OptionalUrn,
    account: Text,
    replaces: OptionalUrn,
  }),
  v.transform(
    (json): AspectRecord =>
      omitUndefined({
        id: json.id,
        entity: json.entity,
        schema: json.schema,
        content: json.content && ownContent(json.content, json.schema),
        validFrom: json['valid-from'],
        validTo: json['valid-to'],
        asserter: json.asserter || undefined,
        retracter: json.retracter || undefined,
        policy: json.policy,
        account: json.account,
        replaces: json.replaces,
      }),
  ),
)

function ownContent({ $entity: _, ...content }: JsonObject, schema: string): JsonObject {
  return { ...content, $schema: schema }
}
