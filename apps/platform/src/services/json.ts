import type { JobRecord, ServiceRecord } from '@ivcap/core/driver'
import type { ServiceParameter } from '@ivcap/core/internal'
import { ACCOUNT } from '../artifacts/json.js'

const POLICY = 'urn:ivcap:policy:ivcap.open.service'
/** What runs a service on this deployment: clients of IVCAP need a word there. */
const CONTROLLER = 'urn:ivcap:schema.service.function.1'

/** The whole record, as `GET /1/services2/{id}` tells it; what is undefined isn't told. */
export function serviceJson(record: ServiceRecord, origin: string): object {
  const { id, name, description = '', status = 'active', parameters = [], tags, policy, account } = record
  return {
    id,
    name,
    description,
    status,
    parameters: parameters.map(parameterJson),
    tags,
    policy: policy ?? POLICY,
    account: account ?? ACCOUNT,
    controller: {},
    'controller-schema': CONTROLLER,
    'valid-from': record.validFrom,
    'valid-to': record.validTo,
    links: [{ rel: 'self', type: 'application/json', href: serviceHref(id, origin) }],
  }
}

/** What a listing tells of a service. */
export function serviceItem(record: ServiceRecord, origin: string): object {
  const { id, name, description, tags, validFrom, validTo } = record
  return {
    id,
    name,
    description,
    tags,
    'controller-schema': CONTROLLER,
    'valid-from': validFrom,
    'valid-to': validTo,
    href: serviceHref(id, origin),
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
  const { id, service, name, status, resultType, errorMessage } = record
  return {
    id,
    service,
    name,
    status,
    order: id,
    'requested-at': record.requestedAt,
    'started-at': record.startedAt,
    'finished-at': record.finishedAt,
    'request-content-type': 'application/json',
    ...(shown.request && { 'request-content': record.request }),
    'result-content-type': resultType,
    ...(shown.result && { 'result-content': record.result }),
    'error-message': errorMessage,
    policy: record.policy ?? POLICY,
    account: record.account ?? ACCOUNT,
    links: [{ rel: 'self', type: 'application/json', href: jobHref(record, origin) }],
  }
}

/** What a listing tells of a job. */
export function jobItem(record: JobRecord, origin: string): object {
  return {
    id: record.id,
    service: record.service,
    name: record.name,
    status: record.status,
    order: record.id,
    'requested-at': record.requestedAt,
    'started-at': record.startedAt,
    'finished-at': record.finishedAt,
    'error-message': record.errorMessage,
    href: jobHref(record, origin),
  }
}

export const serviceHref = (id: string, origin: string): string => `${origin}/1/services2/${id}`
export const jobHref = ({ id, service }: JobRecord, origin: string): string =>
  `${serviceHref(service, origin)}/jobs/${id}`
