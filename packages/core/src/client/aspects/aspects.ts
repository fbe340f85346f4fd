import type { AspectRecord } from '../../model/records.js'
import { parseAspectId } from '../../model/urn.js'
import type { AspectDraft } from '../../ports/index.js'
import type { Context } from '../context.js'
import type { Listing } from '../listing.js'
import { type CallOptions, perform } from '../operation.js'
import { listingOf } from '../pages.js'
import { idOf, type Reference } from '../reference.js'
import { Aspect, fetchRecord } from './aspect.js'
import { type AspectInput, aspectDraft, aspectQuery, type ListAspectsOptions } from './aspect-input.js'

export function listAspects(context: Context, operation: string, o: ListAspectsOptions): Listing<Aspect> {
  return listRecords(context, operation, o, (record) => new Aspect(context, record, false))
}

/** Arguments are checked now; nothing is fetched before the first item is asked for. */
export function listRecords<T>(
  context: Context,
  operation: string,
  o: ListAspectsOptions,
  wrap: (record: AspectRecord) => T,
): Listing<T> {
  const { limit, ...query } = aspectQuery(o)
  return listingOf(
    context,
    operation,
    { ...o, limit },
    (page, op) => context.backend.aspects.list({ ...query, ...page }, op),
    wrap,
  )
}

export async function assertAspect(
  context: Context,
  operation: 'addAspect' | 'updateAspect',
  input: AspectInput,
  o: CallOptions,
): Promise<Aspect> {
  const draft = aspectDraft(input)
  const mode = operation === 'addAspect' ? 'add' : 'replace'
  const record = await perform(context, operation, o, (op) => context.backend.aspects.assert(draft, mode, op))
  return added(context, record, draft)
}

/** A handle on what was just stored: what a place leaves out of its answer, it is asked for when needed. */
export function added(context: Context, record: AspectRecord, { content }: AspectDraft): Aspect {
  return new Aspect(context, { ...record, content }, record.validFrom !== undefined)
}

export async function getAspect(context: Context, id: Reference, o: CallOptions): Promise<Aspect> {
  const urn = parseAspectId(idOf(id), 'id')
  return new Aspect(context, await fetchRecord(context, 'getAspect', urn, o), true)
}
