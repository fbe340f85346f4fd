import { isIvcapError } from '../../model/errors.js'
import type { OptionNames } from '../../model/options.js'
import type { AspectRecord } from '../../model/records.js'
import { parsePolicy, parseUri, type Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { COLLECTION_ITEM_SCHEMA, itemAspect } from '../../rules/collections.js'
import { ifGiven } from '../arguments.js'
import { aspectQuery, type ListAspectsOptions } from '../aspects/aspect-input.js'
import { listRecords, pathTo, recordsWith } from '../aspects/aspects.js'
import { concurrently } from '../concurrently.js'
import type { Context } from '../context.js'
import { dateOf, idOf, type Reference } from '../handle.js'
import type { Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'

/** Maximum number of concurrent retractions. */
const CONCURRENCY = 8

/** The membership of one item in a collection. */
export interface CollectionItem {
  /** The aspect that states the membership: `urn:ivcap:aspect:<uuid>`. */
  readonly id: Urn
  /** URN of the collection. */
  readonly collection: string
  /** URN of the item. */
  readonly item: string
  /** When the item was added. Undefined just after an addition if the backend's response omits it. */
  readonly validFrom: Date | undefined
}

export interface AddItemOptions extends CallOptions {
  /** `urn:ivcap:policy:…`: controls who may see that the item is in the collection. */
  readonly policy?: string | undefined
}

const ADD_ITEM_OPTIONS: OptionNames<AddItemOptions> = { policy: true, ...CALL_OPTIONS }

/** By default all items are listed. */
export type ListItemsOptions = Pick<ListAspectsOptions, 'limit' | 'atTime' | 'signal' | 'timeout'>

export const LIST_ITEMS_OPTIONS: OptionNames<ListItemsOptions> = {
  limit: true,
  atTime: true,
  ...CALL_OPTIONS,
}

export function listItems(
  context: Context,
  collection: string,
  o: ListItemsOptions,
): Listing<CollectionItem> {
  const { limit = Number.POSITIVE_INFINITY, atTime, signal, timeout } = o
  const query = { entity: collection, schema: COLLECTION_ITEM_SCHEMA, limit, atTime, signal, timeout }
  return listRecords(context, 'items', query, itemOf)
}

/** Returns undefined if the item is already in the collection. */
export function addItem(
  context: Context,
  collection: Reference,
  item: Reference,
  o: AddItemOptions,
): Promise<CollectionItem | undefined> {
  return call(context, 'addToCollection', o, ADD_ITEM_OPTIONS, async (op, checked) => {
    const policy = ifGiven(checked.policy, 'policy', parsePolicy)
    const added = parseUri(idOf(item), 'item')
    const draft = itemAspect(parseUri(idOf(collection), 'collection'), added, policy)
    if (await isMember(context, draft.entity, added, op)) return undefined
    const record = await context.backend.aspects.assert(draft, 'add', op)
    return itemOf({ ...record, content: draft.content })
  })
}

/** Returns false if the deployment cannot answer. The worst result is a second entry for the same item, so this is not an error. */
async function isMember(context: Context, entity: string, item: string, op: OpOptions): Promise<boolean> {
  const contentPath = pathTo('item', item)
  const query = aspectQuery({
    entity,
    schema: COLLECTION_ITEM_SCHEMA,
    contentPath,
    includeContent: false,
    limit: 1,
  })
  try {
    return (await context.backend.aspects.list(query, op)).items.length > 0
  } catch (error) {
    if (op.signal?.aborted || !isIvcapError(error)) throw error
    context.logger.debug?.(
      `addToCollection: whether ${item} is in ${entity} could not be told: ${error.message}`,
    )
    return false
  }
}

/** Retracts all entries of the item. Returns whether there were any. */
export function removeItem(
  context: Context,
  collection: Reference,
  item: Reference,
  o: CallOptions,
): Promise<boolean> {
  const operation = 'removeFromCollection'
  return call(context, operation, o, CALL_OPTIONS, async (op) => {
    const wanted = ['item', parseUri(idOf(item), 'item')] as const
    const of = { entity: parseUri(idOf(collection), 'collection'), schema: COLLECTION_ITEM_SCHEMA }
    return (await retractEach(context, recordsWith(context, operation, wanted, of, op), op)) > 0
  })
}

/** Returns the number of retracted aspects. */
export async function retractEach(
  context: Context,
  records: AsyncIterable<AspectRecord>,
  op: OpOptions,
): Promise<number> {
  let count = 0
  await concurrently(records, CONCURRENCY, async ({ id }) => {
    await context.backend.aspects.retract(id, op)
    count += 1
  })
  return count
}

function itemOf({ id, entity, content, validFrom }: AspectRecord): CollectionItem {
  const item = content?.['item']
  return {
    id,
    collection: entity,
    item: typeof item === 'string' ? item : '',
    validFrom: dateOf(validFrom),
  }
}
