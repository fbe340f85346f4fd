import type { Page, ServiceQuery, ServiceRecord, Urn } from '@ivcap/core/driver'
import { IvcapError, omitUndefined } from '@ivcap/core/driver'
import {
  createSha256,
  decodeCursor,
  encodeCursor,
  LONGEST_TIMER,
  PARAMETER_TYPES,
  parseServiceId,
  selectAsync,
  serviceFilter,
  serviceUrn,
  show,
  WorkBudget,
} from '@ivcap/core/internal'
import { checkDefinition, type FunctionParameter, type FunctionService } from './definition.js'
import { checkValue } from './parameters.js'

/** Milliseconds. */
const DEFAULT_TIMEOUT = 60 * 60_000

/** A function and its service record. */
export interface CatalogEntry {
  readonly id: Urn
  readonly name: string
  readonly timeout: number
  readonly definition: FunctionService
  readonly record: ServiceRecord
}

export type Catalog = ReadonlyMap<Urn, CatalogEntry>

/** @throws IvcapError `invalid-argument` for an invalid definition */
export function catalogOf(services: readonly FunctionService[]): Catalog {
  if (!Array.isArray(services)) throw invalid('services', `must be a list of services, not ${show(services)}`)
  const catalog = new Map<Urn, CatalogEntry>()
  const sameName = new Map<string, number>()
  for (const [i, definition] of services.entries()) {
    const where = `services[${i}]`
    checkDefinition(definition, where)
    const { name, parameters = [], timeout = DEFAULT_TIMEOUT } = definition
    if (typeof timeout !== 'number' || !(timeout > 0 && timeout <= LONGEST_TIMER))
      throw invalid(
        `${where}.timeout`,
        `must be milliseconds from 1 to ${LONGEST_TIMER}, not ${show(timeout)}`,
      )
    for (const [j, parameter] of parameters.entries())
      checkParameter(parameter, parameters.slice(0, j), `${where}.parameters[${j}]`)
    const count = sameName.get(name) ?? 0
    sameName.set(name, count + 1)
    const id = definition.id === undefined ? idOf(name, count) : parseServiceId(definition.id, `${where}.id`)
    if (catalog.has(id)) throw invalid(`${where}.id`, `${id} is the id of another service`)
    catalog.set(id, { id, name, timeout, definition, record: recordOf(id, definition) })
  }
  return catalog
}

/** Lists by name. Functions have no history. @throws IvcapError `unsupported` for `atTime` and other orders */
export async function listCatalog(catalog: Catalog, q: ServiceQuery): Promise<Page<ServiceRecord>> {
  assertUnset('atTime', q.atTime)
  if (q.orderBy !== 'name') assertUnset('orderBy', q.orderBy)
  const entries = await filtered([...catalog.values()], q.filter)
  const sign = q.orderDesc ? -1 : 1
  const records = entries
    .sort((a, b) => sign * (a.name === b.name ? compare(a.id, b.id) : compare(a.name, b.name)))
    .map(({ record: { parameters: _, ...item } }) => item)
  const query = { filter: q.filter ?? '', orderDesc: q.orderDesc }
  const from = q.cursor === undefined ? 0 : Number(decodeCursor(query, q.cursor).after[0])
  const end = from + q.limit
  const items = records.slice(from, end)
  return end < records.length
    ? { items, cursor: encodeCursor(query, { atTime: '', after: [end] }) }
    : { items }
}

async function filtered(entries: CatalogEntry[], filter: string | undefined): Promise<CatalogEntry[]> {
  if (filter === undefined) return entries
  const [matches, budget] = [serviceFilter(filter), new WorkBudget()]
  return await selectAsync(entries, ({ record }) => matches(record, budget))
}

/** @throws IvcapError `unsupported` if the argument is given */
export function assertUnset(argument: string, value: unknown): void {
  if (value === undefined) return
  const message = `listings of functions and their jobs do not support ${argument}: omit it and filter the results`
  throw new IvcapError('unsupported', message, { argument })
}

function checkParameter(
  parameter: FunctionParameter,
  before: readonly FunctionParameter[],
  where: string,
): void {
  if (typeof parameter !== 'object' || parameter === null)
    throw invalid(where, `must be an object with name and type, not ${show(parameter)}`)
  const { name, type, options = [], default: absent } = parameter
  if (typeof name !== 'string' || name === '' || name.startsWith('$'))
    throw invalid(`${where}.name`, 'must be a text that is not empty and does not start with $')
  if (before.some((other) => other.name === name))
    throw invalid(`${where}.name`, `${show(name)} is declared twice`)
  if (!PARAMETER_TYPES.includes(type))
    throw invalid(`${where}.type`, `is one of ${PARAMETER_TYPES.join(', ')}, not ${show(type)}`)
  if (!Array.isArray(options) || (type === 'option' && options.length === 0))
    throw invalid(`${where}.options`, 'must be a list of the allowed values')
  for (const [i, option] of options.entries()) {
    const value: unknown = typeof option === 'object' && option !== null ? option.value : undefined
    if (typeof value !== 'string')
      throw invalid(`${where}.options[${i}]`, `must be { value: '…' }, not ${show(option)}`)
  }
  if (absent !== undefined) checkValue(parameter, absent)
}

/** Derives the id from the name, so that jobs find their service in every process. `count` distinguishes equal names. */
function idOf(name: string, count: number): Urn {
  const hash = createSha256()
  hash.update(new TextEncoder().encode(`${name}\n${count}`))
  const hex = hash.digest()
  // RFC 9562: version 8, for custom formats
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`]
  return serviceUrn([...parts, hex.slice(20, 32)].join('-'))
}

/** Copies the declared members only, so that the record can be sent as JSON. */
function recordOf(id: Urn, { name, description, parameters }: FunctionService): ServiceRecord {
  const declared = parameters?.map(
    ({ name, type, description, label, unit, optional, options, default: d }) => {
      const text = d === undefined ? undefined : String(d)
      return omitUndefined({ name, type, description, label, unit, optional, options, default: text })
    },
  )
  return omitUndefined({ id, name, description, status: 'active', parameters: declared })
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function invalid(argument: string, what: string): IvcapError {
  return new IvcapError('invalid-argument', `${argument} ${what}`, { argument })
}
