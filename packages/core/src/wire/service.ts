import * as v from 'valibot'
import { omitUndefined } from '../model/omit-undefined.js'
import type { ServiceParameter, ServiceRecord } from '../model/services.js'
import { NonEmptyText, OptionalUrn, Time, UrnText } from './fields.js'

/** The members of a service in a listing that come from the record. JSON omits undefined ones. */
export const serviceItemToJson = ({ id, name, description, tags, validFrom, validTo }: ServiceRecord) => ({
  id,
  name,
  description,
  tags,
  'valid-from': validFrom,
  'valid-to': validTo,
})

/** The members of `GET /1/services2/{id}` that come from the record. JSON omits undefined ones. */
export const serviceToJson = (record: ServiceRecord) => ({
  ...serviceItemToJson(record),
  status: record.status,
  parameters: record.parameters,
  policy: record.policy,
  account: record.account,
})

/** IVCAP writes defaults as texts, but numbers also occur. */
const Default = v.fallback(
  v.optional(v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String))),
  undefined,
)

const Option = v.pipe(
  v.object({ value: v.string(), description: NonEmptyText }),
  v.transform((option) => omitUndefined(option)),
)

const Parameter = v.pipe(
  v.object({
    name: v.string(),
    type: v.string(),
    description: NonEmptyText,
    label: NonEmptyText,
    unit: NonEmptyText,
    optional: v.fallback(v.optional(v.boolean()), undefined),
    default: Default,
    options: v.fallback(v.nullish(v.array(Option)), undefined),
  }),
  v.transform(
    ({ options, ...members }): ServiceParameter =>
      omitUndefined({ ...members, options: options?.length ? options : undefined }),
  ),
)

/** Parses `GET /1/services2/{id}`, and the items of a listing, which have fewer members. */
export const serviceFromJson = v.pipe(
  v.object({
    id: UrnText,
    name: NonEmptyText,
    description: NonEmptyText,
    status: NonEmptyText,
    parameters: v.nullish(v.array(Parameter)),
    tags: v.fallback(v.nullish(v.array(v.string())), undefined),
    policy: OptionalUrn,
    account: NonEmptyText,
    'valid-from': Time,
    'valid-to': Time,
  }),
  v.transform(
    (json): ServiceRecord =>
      omitUndefined({
        id: json.id,
        name: json.name,
        description: json.description,
        status: json.status,
        parameters: json.parameters ?? undefined,
        tags: json.tags ?? undefined,
        policy: json.policy,
        account: json.account,
        validFrom: json['valid-from'],
        validTo: json['valid-to'],
      }),
  ),
)
