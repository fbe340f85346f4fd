import { IvcapError } from '../../model/errors.js'
import { checkOptions } from '../../model/options.js'
import { parseServiceId, show } from '../../model/urn.js'
import type { ServiceStore } from '../../ports/index.js'
import { checkText } from '../arguments.js'
import type { Context } from '../context.js'
import { idOf, type Reference } from '../handle.js'
import { LIST_OPTIONS, type Listing, type ListOptions, listRecordsBy } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'
import { Service } from './service.js'

/** By name, ascending, by default. */
export type ListServicesOptions = ListOptions

export function getService(context: Context, id: Reference, o: CallOptions): Promise<Service> {
  return call(context, 'getService', o, CALL_OPTIONS, async (op) => {
    const urn = parseServiceId(idOf(id), 'id')
    const store = serviceStore(context)
    return new Service(context, store, await store.get(urn, op), true)
  })
}

/** The filter also matches names that contain the text, so an exact match is preferred. Without `%` only exact matches count. */
export function getServiceByName(context: Context, name: string, o: CallOptions): Promise<Service> {
  return call(context, 'getServiceByName', o, CALL_OPTIONS, async (op) => {
    const wanted = checkText(name, 'name')
    const store = serviceStore(context)
    const filter = `name~='${wanted.replaceAll("'", "''")}'`
    const all = { ...op, filter, limit: Number.POSITIVE_INFINITY }
    const similar = await servicesOf(context, all).toArray()
    const exact = similar.filter((service) => service.name === wanted)
    const matches = exact.length > 0 || !wanted.includes('%') ? exact : similar
    const [service] = matches
    if (service === undefined) throw notFound(wanted, context)
    if (matches.length > 1) throw ambiguous(wanted, matches)
    return new Service(context, store, await store.get(service.id, op), true)
  })
}

export const listServices = (context: Context, o: ListServicesOptions): Listing<Service> =>
  servicesOf(context, checkOptions(o, LIST_OPTIONS, 'listServices'))

function servicesOf(context: Context, o: ListServicesOptions): Listing<Service> {
  const store = serviceStore(context)
  return listRecordsBy(
    context,
    'listServices',
    { orderDesc: false, ...o },
    (query, op) => store.list(query, op),
    (record) => new Service(context, store, record, false),
  )
}

/** @throws IvcapError `unsupported` */
function serviceStore({ backend: { services, artifacts } }: Context): ServiceStore {
  if (services !== undefined) return services
  const message =
    `${artifacts.name} (${artifacts.location}) has no services: connect to a platform, or give it functions of your own, ` +
    "new Ivcap({ ...backend, services: functionServices(backend, [...]) }) with functionServices of '@ivcap/services'"
  throw new IvcapError('unsupported', message)
}

function notFound(name: string, context: Context): IvcapError {
  const place = context.backend.artifacts.location
  const message = `there is no service ${show(name)} at ${place}: ivcap.listServices() lists them`
  return new IvcapError('not-found', message, { argument: 'name', resource: name })
}

function ambiguous(name: string, matches: readonly Service[]): IvcapError {
  const some = matches.slice(0, 5).map((service) => `${service.id} (${service.name})`)
  const message = `${matches.length} services are called ${show(name)}: get one of them by its id, ${some.join(', ')}`
  return new IvcapError('ambiguous', message, { argument: 'name', resource: name })
}
