import { checkOptions, type OptionNames } from '../../model/options.js'
import type { AspectRecord } from '../../model/records.js'
import type { TimeInput } from '../../model/time.js'
import { parseUrn, type Urn } from '../../model/urn.js'
import { COLLECTION_SCHEMA } from '../../rules/collections.js'
import { checkText } from '../arguments.js'
import { aspectDraft, aspectQuery } from '../aspects/aspect-input.js'
import { listRecords } from '../aspects/aspects.js'
import type { Context } from '../context.js'
import { idOf, type Reference } from '../handle.js'
import type { Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'
import { Collection, fetchDefinition } from './collection.js'

export interface CreateCollectionOptions extends CallOptions {
  /** Human-readable name. */
  readonly name: string
  readonly description?: string | undefined
  /** URN. An existing collection gets this name and description but keeps its items. @default new `urn:ivcap:collection:<uuid>` */
  readonly id?: Reference | undefined
  /** `urn:ivcap:policy:…`: controls who may see the collection. */
  readonly policy?: string | undefined
}

const CREATE_COLLECTION_OPTIONS: OptionNames<CreateCollectionOptions> = {
  name: true,
  description: true,
  id: true,
  policy: true,
  ...CALL_OPTIONS,
}

export interface GetCollectionOptions extends CallOptions {
  /** Returns the collection as it was at this time. @default now */
  readonly atTime?: TimeInput | undefined
}

const GET_COLLECTION_OPTIONS: OptionNames<GetCollectionOptions> = { atTime: true, ...CALL_OPTIONS }

export interface ListCollectionsOptions extends CallOptions {
  /**
   * Condition on the name, as in an SQL/JSON path: `== "Reef 7"`, `starts with "CTD"`,
   * `like_regex ".*ocean.*" flag "i"`.
   */
  readonly nameFilter?: string | undefined
  /** Maximum number of collections; Infinity for all. @default 10 */
  readonly limit?: number | undefined
  /** Lists the collections that existed at this time. @default now */
  readonly atTime?: TimeInput | undefined
}

const LIST_COLLECTIONS_OPTIONS: OptionNames<ListCollectionsOptions> = {
  nameFilter: true,
  limit: true,
  atTime: true,
  ...CALL_OPTIONS,
}

/** Some deployments refuse to replace an aspect that does not exist, so the client first checks whether it exists. */
export function createCollection(context: Context, o: CreateCollectionOptions): Promise<Collection> {
  return call(context, 'createCollection', o, CREATE_COLLECTION_OPTIONS, async (op, checked) => {
    const { id, name, description, policy } = checked
    const entity = id === undefined ? newUrn() : parseUrn(idOf(id), 'id')
    const content = { name: checkText(name, 'name'), ...descriptionOf(description) }
    const draft = aspectDraft({ entity, content, schema: COLLECTION_SCHEMA, policy })
    const { aspects } = context.backend
    const question = aspectQuery({ entity, schema: COLLECTION_SCHEMA, includeContent: false, limit: 1 })
    const exists = id !== undefined && (await aspects.list(question, op)).items.length > 0
    const record = await aspects.assert(draft, exists ? 'replace' : 'add', op)
    return new Collection(context, { ...record, content: draft.content }, record.validFrom !== undefined)
  })
}

export function getCollection(context: Context, id: Reference, o: GetCollectionOptions): Promise<Collection> {
  return call(context, 'getCollection', o, GET_COLLECTION_OPTIONS, async (op, { atTime }) => {
    const urn = parseUrn(idOf(id), 'id')
    const definition = await fetchDefinition(context, 'getCollection', urn, { ...op, atTime })
    return new Collection(context, definition, true)
  })
}

export function listCollections(context: Context, o: ListCollectionsOptions): Listing<Collection> {
  const { nameFilter, ...query } = checkOptions(o, LIST_COLLECTIONS_OPTIONS, 'listCollections')
  const contentPath =
    nameFilter === undefined ? undefined : `$.name ? (@ ${checkText(nameFilter, 'nameFilter')})`
  const wrap = (record: AspectRecord) => new Collection(context, record, true)
  return listRecords(context, 'listCollections', { ...query, schema: COLLECTION_SCHEMA, contentPath }, wrap)
}

/** An empty description counts as absent. */
function descriptionOf(description: string | undefined): { readonly description?: string } {
  if (description === undefined || description === '') return {}
  return { description: checkText(description, 'description') }
}

const newUrn = (): Urn => `urn:ivcap:collection:${crypto.randomUUID()}`
