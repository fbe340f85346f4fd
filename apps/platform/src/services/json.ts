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
/** What runs a service on this deployment: clients of IVCAP need a word there. */
const CONTROLLER = 'urn:ivcap:schema.service.function.1'

/** The whole record, as `GET /1/services2/{id}` tells it; what is undefined isn't told. */
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

/** What a listing tells of a service. */
export function serviceItem(record: ServiceRecord, origin: string): object {
  return {
    ...serviceItemToJson(record),
    'controller-schema': CONTROLLER,
    href: serviceHref(record.id, origin),
  }
}

const parameterJson = (parameter: ServiceParameter): object => ({
  ...parameter,
  // clients of IVCAP need these
  description: parameter.description ?? '',
  options: parameter.options ?? [],
})

export interface Shown {
  readonly request: boolean
  readonly result: boolean
}

/** The whole record, as `GET /1/services2/{id}/jobs/{job}` tells it; what is undefined isn't told. */
export function jobJson(record: JobRecord, origin: string, shown: Shown): object {
  return {
    ...jobToJson(record, shown),
    policy: record.policy ?? POLICY,
    account: record.account ?? ACCOUNT,
    links: [{ rel: 'self', type: 'application/json', href: jobHref(record, origin) }],
  }
}

/** What a listing tells of a job. */
export function jobItem(record: JobRecord, origin: string): object {
  return {
    ...jobItemToJson(record),
    href: jobHref(record, origin),
  }
}

export const serviceHref = (id: string, origin: string): string => `${origin}/1/services2/${id}`
export const jobHref = ({ id, service }: JobRecord, origin: string): string =>
  `${serviceHref(service, origin)}/jobs/${id}`
