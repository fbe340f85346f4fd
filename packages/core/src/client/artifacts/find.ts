/** Finds artifacts by their aspects. */
import { IvcapError, isIvcapError } from '../../model/errors.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import type { TimeInput } from '../../model/time.js'
import { parseArtifactId, show } from '../../model/urn.js'
import type { ArtifactStore, AspectQuery, AspectStore, OpOptions } from '../../ports/index.js'
import type { Where } from '../../query/where/types.js'
import { Aspect } from '../aspects/aspect.js'
import { aspectQuery } from '../aspects/aspect-input.js'
import type { AspectType } from '../aspects/aspect-type.js'
import type { Context } from '../context.js'
import { type Listing, listingOfPages, PAGE_SIZE, pagesFrom, type RunStep, type Slice } from '../listing.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'
import { Artifact } from './artifact.js'

/** Maximum number of records that are fetched concurrently. */
const AT_ONCE = 8

/** A condition on an artifact: one of its aspects must have both the schema and the content. */
export interface AspectCondition {
  /** A schema, or a pattern in which `%` stands for any characters. */
  readonly schema?: string | undefined
  readonly where?: Where | undefined
}

export interface FindArtifactsOptions extends AspectCondition, CallOptions {
  /** A filter on the fields of the aspects, as in `listAspects`. */
  readonly filter?: string | undefined
  /**
   * Further conditions. An aspect of the artifact must meet each of them. A condition that more than 50 aspects meet costs one
   * request for each candidate, so `where` should be the most selective condition.
   */
  readonly having?: readonly AspectCondition[] | undefined
  /** Searches the aspects that were in force at this time. @default now */
  readonly atTime?: TimeInput | undefined
  /** Maximum number of artifacts; Infinity for all. @default 10 */
  readonly limit?: number | undefined
  /** Comma-separated list of fields of the aspects. @default valid_from */
  readonly orderBy?: string | undefined
  /** @default DESC */
  readonly orderDirection?: 'ASC' | 'DESC' | undefined
}

/** As `FindArtifactsOptions`, for aspects of one type: conditions are typed. */
export interface FindTypedOptions<T> extends Omit<FindArtifactsOptions, 'schema' | 'where'> {
  readonly type: AspectType<unknown, T>
  readonly where?: Where<T> | undefined
}

const FIND_OPTIONS: OptionNames<FindArtifactsOptions & { readonly type?: AspectType | undefined }> = {
  type: true,
  schema: true,
  where: true,
  filter: true,
  having: true,
  atTime: true,
  limit: true,
  orderBy: true,
  orderDirection: true,
  ...CALL_OPTIONS,
}

const CONDITION_OPTIONS: OptionNames<AspectCondition> = { schema: true, where: true }

/** An artifact and the aspects that matched: those of the page in which it was found, and one for each further condition. */
export class FoundArtifact extends Artifact {
  readonly aspects: readonly Aspect[]

  /** @internal Created by the client. */
  constructor(context: Context, store: ArtifactStore, record: ArtifactRecord, aspects: readonly Aspect[]) {
    super(context, store, record, true)
    this.aspects = aspects
  }
}

type Query = Omit<AspectQuery, 'limit' | 'cursor'>
/** Returns the aspect of the entity that meets a further condition, or undefined. */
type Match = (entity: string, op: OpOptions) => Promise<AspectRecord | undefined>
/** Aspects of one page, grouped by entity. */
type Candidates = readonly (readonly [entity: string, records: readonly AspectRecord[]])[]

export function findArtifacts(
  context: Context,
  o: FindArtifactsOptions & { readonly type?: AspectType | undefined },
): Listing<FoundArtifact> {
  const { having = [], type, ...checked } = checkOptions(o, FIND_OPTIONS, 'findArtifacts')
  const { limit, ...query } = aspectQuery({ ...checked, schema: type?.schema ?? checked.schema })
  const further = conditionsOf(having, checked.atTime)
  const pageSize = further.length > 0 ? PAGE_SIZE : Math.min(PAGE_SIZE, limit)
  const { aspects } = context.backend
  return listingOfPages(context, 'findArtifacts', { ...checked, limit }, async function* (run) {
    const matches = await run((op) => Promise.all(further.map((one) => matchOf(aspects, one, op))))
    const seen = new Set<string>()
    const pages = pagesFrom(pageSize, (page) => run((op) => aspects.list({ ...query, ...page }, op)))
    for await (const { items, more } of pages)
      yield* foundIn(context, run, byEntity(items, seen), matches, more)
  })
}

function conditionsOf(having: unknown, atTime: TimeInput | undefined): readonly Query[] {
  if (!Array.isArray(having)) {
    const message = `having must be a list of conditions, e.g. [{ schema, where }], not ${show(having)}`
    throw new IvcapError('invalid-argument', message, { argument: 'having' })
  }
  return having.map((condition: AspectCondition, i) => {
    const { limit: _, ...query } = aspectQuery({
      ...checkOptions(condition, CONDITION_OPTIONS, `findArtifacts: having[${i}]`),
      atTime,
    })
    return query
  })
}

/**
 * Queries the aspects that meet a condition. If they fit into one page, that page answers for every entity. Otherwise each
 * entity needs a query of its own.
 */
async function matchOf(aspects: AspectStore, query: Query, op: OpOptions): Promise<Match> {
  const { items, cursor } = await aspects.list({ ...query, limit: PAGE_SIZE }, op)
  if (cursor === undefined) {
    const all = new Map(byEntity(items, new Set()))
    return async (entity) => all.get(entity)?.[0]
  }
  return async (entity, op) => (await aspects.list({ ...query, entity, limit: 1 }, op)).items[0]
}

/** Groups the records by entity, in their order. Omits entities that are in `seen`, and adds the others to it. */
function byEntity(records: readonly AspectRecord[], seen: Set<string>): Candidates {
  const groups = new Map<string, AspectRecord[]>()
  for (const record of records) {
    if (seen.has(record.entity)) continue
    const group = groups.get(record.entity)
    if (group === undefined) groups.set(record.entity, [record])
    else group.push(record)
  }
  for (const entity of groups.keys()) seen.add(entity)
  return [...groups]
}

/** Yields batches. Each batch is fetched when it is requested. */
async function* foundIn(
  context: Context,
  run: RunStep,
  candidates: Candidates,
  matches: readonly Match[],
  more: boolean,
): AsyncGenerator<Slice<FoundArtifact>> {
  if (candidates.length === 0) yield { items: [], more }
  for (let start = 0; start < candidates.length; start += AT_ONCE) {
    const batch = candidates.slice(start, start + AT_ONCE)
    const found = await run((op) =>
      Promise.all(batch.map(([entity, records]) => find(context, entity, records, matches, op))),
    )
    yield {
      items: found.filter((one) => one !== undefined),
      more: more || start + AT_ONCE < candidates.length,
    }
  }
}

async function find(
  context: Context,
  entity: string,
  records: readonly AspectRecord[],
  matches: readonly Match[],
  op: OpOptions,
): Promise<FoundArtifact | undefined> {
  const id = artifactIdOf(entity)
  if (id === undefined) return undefined
  const all = [...records]
  for (const match of matches) {
    const record = await match(entity, op)
    if (record === undefined) return undefined
    all.push(record)
  }
  const { artifacts } = context.backend
  try {
    const record = await artifacts.stat(id, op)
    const aspects = all.map((one) => new Aspect(context, one, false))
    return new FoundArtifact(context, artifacts, record, aspects)
  } catch (error) {
    if (!isIvcapError(error) || !LEFT_OUT.has(error.code)) throw error
    op.onEvent?.({ kind: 'left-out', message: `${id} is left out: ${error.message}`, resource: id, error })
    return undefined
  }
}

/** Error codes that cause an artifact to be left out of the result, instead of failing the call. */
const LEFT_OUT: ReadonlySet<string> = new Set(['not-found', 'permission-denied', 'integrity'])

/** Undefined if the entity is not an artifact: entities of any kind may have aspects. */
function artifactIdOf(entity: string) {
  try {
    return parseArtifactId(entity, 'entity')
  } catch {
    return undefined
  }
}
