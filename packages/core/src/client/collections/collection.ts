import { IvcapError } from '../../model/errors.js'
import { checkOptions } from '../../model/options.js'
import type { AspectRecord } from '../../model/records.js'
import type { TimeInput } from '../../model/time.js'
import { parseUrn } from '../../model/urn.js'
import { COLLECTION_ITEM_SCHEMA, COLLECTION_SCHEMA } from '../../rules/collections.js'
import { dateOf } from '../aspects/aspect.js'
import { listRecords } from '../aspects/aspects.js'
import type { Context } from '../context.js'
import { inspectable } from '../inspect.js'
import type { Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, perform } from '../operation.js'
import { idOf, type Reference } from '../reference.js'
import {
  ADD_ITEM_OPTIONS,
  type AddItemOptions,
  addItem,
  type CollectionItem,
  LIST_ITEMS_OPTIONS,
  type ListItemsOptions,
  listItems,
  removeItem,
  retractEach,
} from './collection-items.js'

/** A handle on one collection: a named set of artifacts, or of whatever has a URN. */
export class Collection {
  readonly #context: Context
  #record: AspectRecord

  /** @internal Made by the client. */
  constructor(context: Context, record: AspectRecord) {
    this.#context = context
    this.#record = record
  }

  /** `urn:ivcap:collection:<uuid>`, or whatever URN it was given. */
  get id(): string {
    return this.#record.entity
  }
  get name(): string {
    return this.#text('name') ?? ''
  }
  get description(): string | undefined {
    return this.#text('description')
  }
  /** The definition is in force from then on: since the collection was made, or last updated. */
  get validFrom(): Date | undefined {
    return dateOf(this.#record.validFrom)
  }
  /** The aspect that defines it, as far as it is known. */
  get record(): AspectRecord {
    return this.#record
  }

  /** What is in it (or was, at `atTime`), newest first; all of it unless a limit is given. */
  items(o: ListItemsOptions = {}): Listing<CollectionItem> {
    return listItems(this.#context, this.id, checkOptions(o, LIST_ITEMS_OPTIONS, 'items'))
  }

  /** Adds an item. Undefined: it is in there already. */
  async add(item: Reference, o: AddItemOptions = {}): Promise<CollectionItem | undefined> {
    return addItem(this.#context, this.id, item, checkOptions(o, ADD_ITEM_OPTIONS, 'add'))
  }

  /** Takes an item out. Whether it was in there. */
  async remove(item: Reference, o: CallOptions = {}): Promise<boolean> {
    return removeItem(this.#context, this.id, item, checkOptions(o, CALL_OPTIONS, 'remove'))
  }

  /** Fetches name and description anew; returns this collection. @throws IvcapError `not-found` once it is retracted */
  async refresh(o: CallOptions = {}): Promise<this> {
    const checked = checkOptions(o, CALL_OPTIONS, 'refresh')
    this.#record = await fetchDefinition(this.#context, 'refresh', this.id, checked)
    return this
  }

  /** Retracts its items, then the collection. How many aspects were retracted. @throws IvcapError `not-found` */
  async retract(o: CallOptions = {}): Promise<number> {
    return retractCollection(this.#context, this.id, checkOptions(o, CALL_OPTIONS, 'retract'))
  }

  toJSON(): { readonly id: string; readonly name: string; readonly description?: string } {
    const { id, name, description } = this
    return { id, name, ...(description !== undefined && { description }) }
  }

  toString(): string {
    return `Collection ${this.id} (${this.name})`
  }

  #text(key: string): string | undefined {
    const text = this.#record.content?.[key]
    return typeof text === 'string' ? text : undefined
  }
}

inspectable(Collection.prototype, 'Collection', ({ id, name, description }) => ({ id, name, description }))

/** The newest, should there be several. @throws IvcapError `not-found` */
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

/** The definition goes last: whatever interrupts this, the collection is still found, and can be retracted again. */
export function retractCollection(context: Context, reference: Reference, o: CallOptions): Promise<number> {
  const operation = 'retractCollection'
  return perform(context, operation, o, async (op) => {
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
