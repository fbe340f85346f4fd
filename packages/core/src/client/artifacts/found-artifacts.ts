/** From aspects that match to the artifacts that they describe. */
import { isIvcapError } from '../../model/errors.js'
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import { parseArtifactId } from '../../model/urn.js'
import type { ArtifactStore, AspectQuery, AspectStore, OpOptions } from '../../ports/index.js'
import { Aspect } from '../aspects/aspect.js'
import type { Context } from '../context.js'
import { PAGE_SIZE, pagesFrom, type RunStep, type Slice } from '../listing.js'
import { Artifact } from './artifact.js'

/** Maximum number of records that are fetched concurrently. */
const AT_ONCE = 8

/** A query of aspects, without its pages. */
export type FoundQuery = Omit<AspectQuery, 'limit' | 'cursor'>

/** An artifact and the aspects that matched: those of the page in which it was found, and one for each further condition. */
export class FoundArtifact extends Artifact {
  readonly aspects: readonly Aspect[]

  /** @internal Created by the client. */
  constructor(context: Context, store: ArtifactStore, record: ArtifactRecord, aspects: readonly Aspect[]) {
    super(context, store, record, true)
    this.aspects = aspects
  }
}

/** Returns the aspect of the entity that meets a further condition, or undefined. */
type Match = (entity: string, op: OpOptions) => Promise<AspectRecord | undefined>
/** Aspects of one page, grouped by entity. */
type Candidates = readonly (readonly [entity: string, records: readonly AspectRecord[]])[]

/** The artifacts whose aspects match a query and all further ones, in the order of the query. */
export async function* foundArtifacts(
  context: Context,
  run: RunStep,
  q: { readonly query: FoundQuery; readonly further: readonly FoundQuery[]; readonly pageSize: number },
): AsyncGenerator<Slice<FoundArtifact>> {
  const { aspects } = context.backend
  const matches = await run((op) => Promise.all(q.further.map((one) => matchOf(aspects, one, op))))
  const seen = new Set<string>()
  const pages = pagesFrom(q.pageSize, (page) => run((op) => aspects.list({ ...q.query, ...page }, op)))
  for await (const { items, more } of pages)
    yield* foundIn(context, run, byEntity(items, seen), matches, more)
}

/**
 * Queries the aspects that meet a condition. If they fit into one page, that page answers for every entity. Otherwise each
 * entity needs a query of its own.
 */
async function matchOf(aspects: AspectStore, query: FoundQuery, op: OpOptions): Promise<Match> {
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
