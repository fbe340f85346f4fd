import type { JobRecord, ServiceRecord } from '@ivcap/core/driver'
import {
  jobItemToJson,
  jobToJson,
  type ServiceParameter,
  serviceItemToJson,
  serviceToJson,
} from '@ivcap/core/internal'
import { ACCOUNT } from '../artifacts/json.js'

const POLICY = 'urn:ivcap:policy:ivcap.open.service'
/** IVCAP's clients require a controller schema. */
const CONTROLLER = 'urn:ivcap:schema.service.function.1'

/** The body of `GET /1/services2/{id}`. Undefined fields are omitted. */
export function serviceJson(record: ServiceRecord, origin: string): object {
  const { description = '', status = 'active', parameters = [] } = record
  return {
    ...serviceToJson(record),
    description,
    status,
    parameters: parameters.map(parameterJson),
    policy: record.policy ?? POLICY,
    account: record.account ?? ACCOUNT,
    controller: {},
    'controller-schema': CONTROLLER,
    links: [{ rel: 'self', type: 'application/json', href: serviceHref(record.id, origin) }],
  }
}

/** An item of `GET /1/services2`. */
export function serviceItem(record: ServiceRecord, origin: string): object {
  return {
    ...serviceItemToJson(record),
    'controller-schema': CONTROLLER,
    href: serviceHref(record.id, origin),
  }
}

const parameterJson = (parameter: ServiceParameter): object => ({
  ...parameter,
  // IVCAP's clients require these
  description: parameter.description ?? '',
  options: parameter.options ?? [],
})

export interface JobContents {
  readonly request: boolean
  readonly result: boolean
}

/** The body of `GET /1/services2/{id}/jobs/{job}`. Undefined fields are omitted. */
export function jobJson(record: JobRecord, origin: string, contents: JobContents): object {
  return {
    ...jobToJson(record, contents),
    policy: record.policy ?? POLICY,
    account: record.account ?? ACCOUNT,
    links: [{ rel: 'self', type: 'application/json', href: jobHref(record, origin) }],
  }
}

/** An item of `GET /1/services2/{id}/jobs`. */
export function jobItem(record: JobRecord, origin: string): object {
  return {
    ...jobItemToJson(record),
    href: jobHref(record, origin),
  }
}

export const serviceHref = (id: string, origin: string): string => `${origin}/1/services2/${id}`
export const jobHref = ({ id, service }: JobRecord, origin: string): string =>
  `${serviceHref(service, origin)}/jobs/${id}`
