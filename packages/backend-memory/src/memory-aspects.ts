import {
  type AspectDraft,
  type AspectQuery,
  type AspectRecord,
  type AspectStore,
  IvcapError,
  type JsonObject,
  type JsonValue,
  type OpOptions,
  type Page,
  type Timestamp,
  timestamp,
  type Urn,
} from '@ivcap/core/driver'
import {
  type AspectTest,
  aspectOrder,
  aspectSelector,
  aspectUrn,
  aspectUuid,
  type Clock,
  closingTime,
  decodeCursor,
  encodeCursor,
  inForce,
  isJsonObject,
  nextTurn,
  nextValidFrom,
  PAGE_BYTES,
  pageOf,
  type SortKey,
  schemaMatcher,
  shareTurns,
  sizeOf,
} from '@ivcap/core/internal'
import { SortedRecords, type StoredAspect, timeKeyOf } from './sorted-records.js'

/** Records that are looked at before other work gets its turn. */
const SLICE = 1024

/** The records of an entity, of a schema, or of all. */
interface Index {
  /** Those that are not closed. */
  readonly open: SortedRecords
  readonly all: SortedRecords
}

/** The records of one entity and schema, as an update needs them. */
interface Pair {
  readonly open: Set<StoredAspect>
  /** The latest end of a record of the pair. */
  closedAt: Timestamp | undefined
}

/** Aspects in maps. Each call takes effect at one moment: nothing is awaited between looking and writing. */
export function memoryAspects({ clock }: { readonly clock: Clock }): AspectStore {
  const records = new Map<string, StoredAspect>()
  const pairs = new Map<string, Pair>()
  const everything = newIndex()
  const byEntity = new Map<string, Index>()
  const bySchema = new Map<string, Index>()
  const inTurn = shareTurns()
  /** The latest start or end of any record. */
  let latest: Timestamp = timestamp(0)

  const begin = async ({ signal }: OpOptions) => {
    signal?.throwIfAborted()
    await inTurn()
    signal?.throwIfAborted()
  }
  const indexesOf = ({ entity, schema }: Pick<AspectDraft, 'entity' | 'schema'>) => [
    everything,
    entryOf(byEntity, entity, newIndex),
    entryOf(bySchema, schema, newIndex),
  ]
  const note = (time: Timestamp) => {
    if (time > latest) latest = time
  }
  const find = (id: Urn): StoredAspect => {
    const record = records.get(aspectUuid(id) ?? '')
    if (record !== undefined) return record
    throw new IvcapError('not-found', `There is no aspect ${id} here`, { resource: id })
  }

  const add = (draft: AspectDraft, validFrom: Timestamp, replaces?: Urn): StoredAspect => {
    const { entity, schema, content, policy } = draft
    const uuid = crypto.randomUUID()
    const record: StoredAspect = {
      id: aspectUrn(uuid),
      entity,
      schema,
      content: copyOf(content),
      validFrom,
      ...(policy && { policy }),
      ...(replaces && { replaces }),
    }
    records.set(uuid, record)
    for (const { open, all } of indexesOf(record)) {
      open.add(record)
      all.add(record)
    }
    entryOf(pairs, keyOf(record), newPair).open.add(record)
    note(validFrom)
    return record
  }
  const close = (record: StoredAspect, validTo: Timestamp) => {
    const closed: StoredAspect = { ...record, validTo }
    records.set(aspectUuid(record.id) ?? '', closed)
    for (const { open, all } of indexesOf(record)) {
      open.remove(record)
      all.replace(closed)
    }
    const pair = entryOf(pairs, keyOf(record), newPair)
    pair.open.delete(record)
    if (pair.closedAt === undefined || validTo > pair.closedAt) pair.closedAt = validTo
    note(validTo)
  }
  const replace = (draft: AspectDraft): StoredAspect => {
    const { open = new Set<StoredAspect>(), closedAt } = pairs.get(keyOf(draft)) ?? {}
    const replaced = [...open]
    const newest = replaced.reduce<StoredAspect | undefined>(
      (a, b) => (a === undefined || b.validFrom > a.validFrom ? b : a),
      undefined,
    )
    const validFrom = nextValidFrom(clock(), {
      ...(newest && { validFrom: newest.validFrom }),
      ...(closedAt !== undefined && { closedAt }),
    })
    for (const record of replaced) close(record, validFrom)
    return add(draft, validFrom, newest?.id)
  }
  const assert = (draft: AspectDraft, mode: 'add' | 'replace') =>
    shown(mode === 'add' ? add(draft, timestamp(clock())) : replace(draft))

  return {
    async assert(draft, mode, o) {
      await begin(o)
      return assert(draft, mode)
    },

    async assertMany(drafts, o) {
      const added: AspectRecord[] = []
      for (const draft of drafts) {
        await begin(o)
        added.push(assert(draft, 'add'))
      }
      return added
    },

    async get(id, o) {
      await begin(o)
      return shown(find(id))
    },

    async list(q, o) {
      await begin(o)
      return list(q, o)
    },

    async retract(id, o) {
      await begin(o)
      const record = find(id)
      if (record.validTo === undefined) close(record, closingTime(clock(), record.validFrom))
    },
  }

  async function list(q: AspectQuery, o: OpOptions): Promise<Page<AspectRecord>> {
    const matches = aspectSelector(q, o)
    const { fields, keyOf } = aspectOrder(q.orderBy)
    const { entity, schema, filter, contentPath, orderDirection: direction } = q
    const query = { entity, schema, filter, contentPath, fields, direction, atTime: q.atTime }
    const position = q.cursor === undefined ? undefined : decodeCursor(query, q.cursor)
    const at = position?.atTime ?? q.atTime
    // later pages list what was in force now, also if a clock goes back meanwhile
    const now = timestamp(clock())
    const pinned = at ?? (latest > now ? latest : now)
    const index = indexOf(q)
    const sorted = index && (at === undefined ? index.open : index.all)
    const isOfSchema = schemaMatcher(schema)
    const isSelected = (record: StoredAspect) => inForce(record, at) && isOfSchema(record.schema)
    const isByTime = fields.length === 1 && fields[0] === 'valid_from'
    const limits = { limit: q.limit, ...(q.includeContent && { sizeOf }) }
    const stretch = { direction, after: position?.after }
    const page = isByTime
      ? await firstOf(
          matches === undefined
            ? (sorted?.first(q.limit + 1, stretch, isSelected) ?? [])
            : select(sorted?.snapshot(stretch) ?? [], isSelected, matches, o),
          limits,
        )
      : await pageOf(select(sorted?.snapshot({ direction }) ?? [], isSelected, matches, o), keyOf, {
          ...limits,
          direction,
          ...(position && { after: position.after }),
        })
    return {
      items: page.items.map((record) => (q.includeContent ? shown(record) : withoutContent(record))),
      ...(page.last && { cursor: encodeCursor(query, { atTime: pinned, after: page.last }) }),
    }
  }

  /** The smallest index that has all records of the query; undefined if there are none. */
  function indexOf({ entity, schema }: AspectQuery): Index | undefined {
    if (entity !== undefined) return byEntity.get(entity)
    return schema === undefined || schema.includes('%') ? everything : bySchema.get(schema)
  }
}

/** The records that a query selects, in the order given. */
async function* select(
  sorted: readonly StoredAspect[],
  isSelected: (record: StoredAspect) => boolean,
  matches: AspectTest | undefined,
  { signal }: OpOptions,
): AsyncGenerator<StoredAspect> {
  let seen = 0
  for (const record of sorted) {
    if (++seen % SLICE === 0) {
      await nextTurn()
      signal?.throwIfAborted()
    }
    if (isSelected(record) && (matches === undefined || (await matches(record)))) yield record
  }
}

/** One page of records that come in the order of the list. */
async function firstOf(
  selected: AsyncIterable<StoredAspect> | Iterable<StoredAspect>,
  { limit, sizeOf: bytesOf }: { readonly limit: number; readonly sizeOf?: (record: StoredAspect) => number },
): Promise<{ readonly items: readonly StoredAspect[]; readonly last?: SortKey }> {
  const items: StoredAspect[] = []
  let bytes = 0
  for await (const record of selected) {
    const last = items.at(-1)
    if (last !== undefined && (items.length >= limit || bytes > PAGE_BYTES))
      return { items, last: timeKeyOf(last) }
    items.push(record)
    bytes += bytesOf?.(record) ?? 0
  }
  return { items }
}

const newIndex = (): Index => ({ open: new SortedRecords(), all: new SortedRecords() })
const newPair = (): Pair => ({ open: new Set(), closedAt: undefined })

/** Neither of them can have a line break. */
const keyOf = ({ entity, schema }: Pick<AspectDraft, 'entity' | 'schema'>): string => `${entity}\n${schema}`

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** A copy for the caller, who may change the content. */
const shown = (record: StoredAspect): AspectRecord => ({ ...record, content: copyOf(record.content) })

const withoutContent = ({ content: _, ...rest }: StoredAspect): AspectRecord => rest

/** A deep copy. A member called `__proto__` stays a member. */
function copyOf(content: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key, copyOfValue(value)]))
}

function copyOfValue(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOfValue)
  return isJsonObject(value) ? copyOf(value) : value
}
