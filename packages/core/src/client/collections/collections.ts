import type { OptionNames } from '../../model/options.js'
import type { TimeInput } from '../../model/time.js'
import { parseUrn, type Urn } from '../../model/urn.js'
import { COLLECTION_SCHEMA } from '../../rules/collections.js'
import { aspectDraft, aspectQuery, checkText } from '../aspects/aspect-input.js'
import { listRecords } from '../aspects/aspects.js'
import type { Context } from '../context.js'
import type { Listing } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, perform } from '../operation.js'
import { idOf, type Reference } from '../reference.js'
import { Collection, fetchDefinition } from './collection.js'

export interface CreateCollectionOptions extends CallOptions {
  /** Human-readable. */
  readonly name: string
  readonly description?: string | undefined
  /** Its URN; default: a new `urn:ivcap:collection:<uuid>`. One that exists gets this name and description; its items stay. */
  readonly id?: Reference | undefined
  /** `urn:ivcap:policy:…`: who may see it. */
  readonly policy?: string | undefined
}

export const CREATE_COLLECTION_OPTIONS: OptionNames<CreateCollectionOptions> = {
  name: true,
  description: true,
  id: true,
  policy: true,
  ...CALL_OPTIONS,
}

export interface GetCollectionOptions extends CallOptions {
  /** As it was then. */
  readonly atTime?: TimeInput | undefined
}

export const GET_COLLECTION_OPTIONS: OptionNames<GetCollectionOptions> = { atTime: true, ...CALL_OPTIONS }

export interface ListCollectionsOptions extends CallOptions {
  /**
   * What the name must satisfy, as in an SQL/JSON path: `== "Reef 7"`, `starts with "CTD"`,
   * `like_regex ".*ocean.*" flag "i"`.
   */
  readonly nameFilter?: string | undefined
  /** Collections in all; default 10; Infinity for all. */
  readonly limit?: number | undefined
  /** List those that there were then. */
  readonly atTime?: TimeInput | undefined
}

export const LIST_COLLECTIONS_OPTIONS: OptionNames<ListCollectionsOptions> = {
  nameFilter: true,
  limit: true,
  atTime: true,
  ...CALL_OPTIONS,
}

/** Some deployments let nobody replace what isn't there: whether it is has to be asked first. */
export function createCollection(context: Context, o: CreateCollectionOptions): Promise<Collection> {
  return perform(context, 'createCollection', o, async (op) => {
    const entity = o.id === undefined ? newUrn() : parseUrn(idOf(o.id), 'id')
    const content = { name: checkText(o.name, 'name'), ...descriptionOf(o.description) }
    const draft = aspectDraft({ entity, content, schema: COLLECTION_SCHEMA, policy: o.policy })
    const { aspects } = context.backend
    const question = aspectQuery({ entity, schema: COLLECTION_SCHEMA, includeContent: false, limit: 1 })
    const exists = o.id !== undefined && (await aspects.list(question, op)).items.length > 0
    const record = await aspects.assert(draft, exists ? 'replace' : 'add', op)
    return new Collection(context, { ...record, content: draft.content })
  })
}

export function getCollection(context: Context, id: Reference, o: GetCollectionOptions): Promise<Collection> {
  return perform(context, 'getCollection', o, async (op) => {
    const query = { ...op, atTime: o.atTime }
    return new Collection(
      context,
      await fetchDefinition(context, 'getCollection', parseUrn(idOf(id), 'id'), query),
    )
  })
}

export function listCollections(context: Context, o: ListCollectionsOptions): Listing<Collection> {
  const { nameFilter, limit, atTime, signal, timeout } = o
  const contentPath =
    nameFilter === undefined ? undefined : `$.name ? (@ ${checkText(nameFilter, 'nameFilter')})`
  const query = { schema: COLLECTION_SCHEMA, contentPath, limit, atTime, signal, timeout }
  return listRecords(context, 'listCollections', query, (record) => new Collection(context, record))
}

/** An empty description is none. */
function descriptionOf(description: string | undefined): { readonly description?: string } {
  if (description === undefined || description === '') return {}
  return { description: checkText(description, 'description') }
}

const newUrn = (): Urn => `urn:ivcap:collection:${crypto.randomUUID()}`
