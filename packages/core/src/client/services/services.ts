import { IvcapError } from '../../model/errors.js'
import { parseServiceId, show } from '../../model/urn.js'
import type { ServiceStore } from '../../ports/index.js'
import { checkText } from '../aspects/aspect-input.js'
import type { Context } from '../context.js'
import { type ListOptions, listQuery } from '../list-options.js'
import { checkLimit, type Listing } from '../listing.js'
import { type CallOptions, perform } from '../operation.js'
import { listingOf } from '../pages.js'
import { idOf, type Reference } from '../reference.js'
import { Service } from './service.js'

/** By name, ascending, unless told otherwise. */
export type ListServicesOptions = ListOptions

export function getService(context: Context, id: Reference, o: CallOptions): Promise<Service> {
  return perform(context, 'getService', o, async (op) => {
    const urn = parseServiceId(idOf(id), 'id')
    const store = serviceStore(context)
    return new Service(context, store, await store.get(urn, op), true)
  })
}

/** The filter finds more, since without `%` it asks for a part of the name: then only the very name counts. */
export function getServiceByName(context: Context, name: string, o: CallOptions): Promise<Service> {
  return perform(context, 'getServiceByName', o, async (op) => {
    const wanted = checkText(name, 'name')
    const store = serviceStore(context)
    const filter = `name~='${wanted.replaceAll("'", "''")}'`
    const all = { ...op, filter, limit: Number.POSITIVE_INFINITY }
    const fitting = await listServices(context, all).toArray()
    const exact = fitting.filter((service) => service.name === wanted)
    const found = exact.length > 0 || !wanted.includes('%') ? exact : fitting
    const [service] = found
    if (service === undefined) throw noSuch(wanted, context)
    if (found.length > 1) throw ambiguous(wanted, found)
    return new Service(context, store, await store.get(service.id, op), true)
  })
}

/** Arguments are checked now; nothing is fetched before the first item is asked for. */
export function listServices(context: Context, o: ListServicesOptions): Listing<Service> {
  const store = serviceStore(context)
  const query = listQuery(o, false)
  return listingOf(
    context,
    'listServices',
    { ...o, limit: checkLimit(o.limit ?? 10) },
    (page, op) => store.list({ ...query, ...page }, op),
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

function noSuch(name: string, context: Context): IvcapError {
  const place = context.backend.artifacts.location
  const message = `there is no service ${show(name)} at ${place}: ivcap.listServices() tells which there are`
  return new IvcapError('not-found', message, { argument: 'name', resource: name })
}

function ambiguous(name: string, found: readonly Service[]): IvcapError {
  const some = found.slice(0, 5).map((service) => `${service.id} (${service.name})`)
  const message = `${found.length} services are called ${show(name)}: take one of them by its id, ${some.join(', ')}`
  return new IvcapError('ambiguous', message, { argument: 'name', resource: name })
}
