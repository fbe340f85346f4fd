import type { AspectRecord } from '../model/records.js'
import { parseAspectId } from '../model/urn.js'
import { Aspect, fetchRecord } from './aspect.js'
import { type AspectInput, aspectDraft, aspectQuery, type ListAspectsOptions } from './aspect-input.js'
import { concurrently } from './concurrently.js'
import type { Context } from './context.js'
import { type Listing, listing } from './listing.js'
import { type CallOptions, perform } from './operation.js'

/** How many requests `addAspects` has under way at once, unless told. */
const CONCURRENCY = 16

export interface AddManyOptions extends CallOptions {
  /** How many are under way at once; default 16. */
  readonly concurrency?: number | undefined
}

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
  return listing(
    limit,
    (page) => perform(context, operation, o, (op) => context.backend.aspects.list({ ...query, ...page }, op)),
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
  return new Aspect(context, { ...record, content: draft.content }, record.validFrom !== undefined)
}

export async function getAspect(context: Context, id: string, o: CallOptions): Promise<Aspect> {
  const urn = parseAspectId(id, 'id')
  return new Aspect(context, await fetchRecord(context, 'getAspect', urn, o), true)
}

/** In the order of the input. The first failure ends it: none is begun after it, those under way are waited for. */
export async function addAspects(
  context: Context,
  inputs: Iterable<AspectInput> | AsyncIterable<AspectInput>,
  o: AddManyOptions,
): Promise<Aspect[]> {
  const added: Aspect[] = []
  await concurrently(inputs, o.concurrency ?? CONCURRENCY, async (input, i) => {
    const draft = aspectDraft(input, `aspects[${i}].`)
    const record = await perform(context, 'addAspects', o, (op) =>
      context.backend.aspects.assert(draft, 'add', op),
    )
    added[i] = new Aspect(context, { ...record, content: draft.content }, record.validFrom !== undefined)
  })
  return added
}
