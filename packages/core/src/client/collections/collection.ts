import { IvcapError } from '../../model/errors.js'
import { checkOptions } from '../../model/options.js'
import type { AspectRecord } from '../../model/records.js'
import type { TimeInput } from '../../model/time.js'
import { parseUrn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { COLLECTION_ITEM_SCHEMA, COLLECTION_SCHEMA } from '../../rules/collections.js'
import { listRecords } from '../aspects/aspects.js'
import type { Context } from '../context.js'
import { dateOf, Handle, idOf, type Reference, type Summary } from '../handle.js'
import type { Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'
import {
  type AddItemOptions,
  addItem,
  type CollectionItem,
  LIST_ITEMS_OPTIONS,
  type ListItemsOptions,
  listItems,
  removeItem,
  retractEach,
} from './collection-items.js'

/** A handle on one collection: a named set of artifacts, or of any items that have a URN. */
export class Collection extends Handle<AspectRecord> {
  /** `urn:ivcap:collection:<uuid>`, or the URN that was given when the collection was created. */
  get id(): string {
    return this.record.entity
  }
  get name(): string {
    return this.#text('name') ?? ''
  }
  get description(): string | undefined {
    return this.#text('description')
  }
  /** When the collection was created or last updated. */
  get validFrom(): Date | undefined {
    return dateOf(this.record.validFrom)
  }

  /** Lists the items (those at `atTime`, if given), newest first. Returns all of them unless `limit` is given. */
  items(o: ListItemsOptions = {}): Listing<CollectionItem> {
    return listItems(this.context, this.id, checkOptions(o, LIST_ITEMS_OPTIONS, 'items'))
  }

  /** Adds an item. Returns undefined if it is already in the collection. */
  async add(item: Reference, o: AddItemOptions = {}): Promise<CollectionItem | undefined> {
    return addItem(this.context, this.id, item, o)
  }

  /** Removes an item. Returns whether it was in the collection. */
  async remove(item: Reference, o: CallOptions = {}): Promise<boolean> {
    return removeItem(this.context, this.id, item, o)
  }

  /** Retracts the items, then the collection. Returns the number of retracted aspects. @throws IvcapError `not-found` */
  async retract(o: CallOptions = {}): Promise<number> {
    return retractCollection(this.context, this.id, o)
  }

  toJSON(): { readonly id: string; readonly name: string; readonly description?: string } {
    const { id, name, description } = this
    return { id, name, ...(description !== undefined && { description }) }
  }

  protected fetch(op: OpOptions): Promise<AspectRecord> {
    return fetchDefinition(this.context, 'refresh', this.id, op)
  }

  protected summary(): Summary {
    const { id, name, description } = this
    return { kind: 'Collection', label: name, fields: { id, name, description } }
  }

  #text(key: string): string | undefined {
    const text = this.record.content?.[key]
    return typeof text === 'string' ? text : undefined
  }
}

/** Returns the newest definition if there are several. @throws IvcapError `not-found` */
export async function fetchDefinition(
  context: Context,
  operation: string,
  id: string,
  o: CallOptions & { readonly atTime?: TimeInput | undefined },
): Promise<AspectRecord> {
  const query = { ...o, entity: id, schema: COLLECTION_SCHEMA, limit: 1 }
  const [definition] = await listRecords(context, operation, query, (record) => record).toArray()
  if (definition !== undefined) return definition
  const message = `${id} is no collection${o.atTime === undefined ? '' : ' at that time'}: nothing says what it is`
  throw new IvcapError('not-found', `${operation}: ${message}`, { operation, resource: id })
}

/** Retracts the definition last: if the call is interrupted, the collection is still found and can be retracted again. */
export function retractCollection(context: Context, reference: Reference, o: CallOptions): Promise<number> {
  const operation = 'retractCollection'
  return call(context, operation, o, CALL_OPTIONS, async (op) => {
    const id = parseUrn(idOf(reference), 'id')
    await fetchDefinition(context, operation, id, op)
    const retractAll = (schema: string) => {
      const query = { ...op, entity: id, schema, includeContent: false, limit: Number.POSITIVE_INFINITY }
      return retractEach(
        context,
        listRecords(context, operation, query, (record) => record),
        op,
      )
    }
    const items = await retractAll(COLLECTION_ITEM_SCHEMA)
    return items + (await retractAll(COLLECTION_SCHEMA))
  })
}
