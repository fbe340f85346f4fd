/**
 * Streams of index entries over any number of schemas, newest first. A record that was in force at a time may still be in `cur/`
 * or already in `past/`. A writer that closes a record writes it to `past/` before it deletes it from `cur/`. So each range of
 * names is listed in `cur/` first, then in `past/`: a record that is being moved is found at least once.
 */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import { schemaMatcher } from '../../rules/aspects.js'
import type { Engine } from '../context.js'
import { decodeSchema, encodeSchema } from '../keys.js'
import { inParallel } from '../parallel.js'
import { BY_SCHEMA, type Scope, type Tense } from './entries.js'
import {
  type EntryPage,
  type IndexEntry,
  LARGEST_LIST,
  listByEntity,
  listEntries,
  listSchemas,
} from './pages.js'

export interface IndexQuery {
  readonly scope: Scope
  /** A schema, or a pattern with `%`; absent: all schemas. */
  readonly schema?: string
  /** Selects records that were in force at this time; absent: records that are not closed. */
  readonly at?: Timestamp
  /** Selects names after this one. */
  readonly after: string
  /** Number of entries in the first LIST of a schema; it doubles with each further LIST. */
  readonly size: number
}

/** Entries that may be in force, in the order of their names. The caller must check the marks, and whether the record exists. */
export async function* entries(engine: Engine, q: IndexQuery, o: OpOptions): AsyncGenerator<IndexEntry> {
  if (q.schema !== undefined && !q.schema.includes('%'))
    yield* entriesOfSchema(engine, q, { schema: encodeSchema(q.schema) }, o)
  else yield* merge(q.scope === BY_SCHEMA ? streamsBySchema(engine, q, o) : [streamsOfEntity(engine, q, o)])
}

type EntryStream = AsyncGenerator<IndexEntry>

/** A schema, and its first pages if they have been listed already. */
interface SchemaStart {
  readonly schema: string
  readonly cur?: EntryPage | undefined
  readonly past?: EntryPage | undefined
}

/**
 * Returns a stream for each schema. The schemas in `past/` are listed after those in `cur/`, so that a schema whose last record is
 * being moved is found at least once. The streams of the schemas in `cur/` begin meanwhile.
 */
function streamsBySchema(
  engine: Engine,
  q: IndexQuery,
  o: OpOptions,
): readonly Promise<readonly EntryStream[]>[] {
  const [literal, matches] = [literalOf(q), schemaTest(q)]
  const list = async (tense: Tense) =>
    (await listSchemas(engine.blobs, { tense, scope: q.scope }, literal, o)).filter(matches)
  const streams = (starts: readonly SchemaStart[]) =>
    starts.map((start) => entriesOfSchema(engine, q, start, o))
  const current = list('cur')
  const ofCurrent = current.then((schemas) => streams(schemas.map((schema) => ({ schema }))))
  if (q.at === undefined) return [ofCurrent]
  const ofEnded = current.then(async (schemas) => {
    const known = new Set(schemas)
    const ended = (await list('past')).filter((schema) => !known.has(schema))
    return streams(ended.map((schema) => ({ schema, cur: { entries: [] } })))
  })
  return [ofCurrent, ofEnded]
}

async function streamsOfEntity(engine: Engine, q: IndexQuery, o: OpOptions): Promise<readonly EntryStream[]> {
  const list = (tense: Tense) =>
    listByEntity(engine.blobs, { tense, scope: q.scope }, literalOf(q), q.size, o)
  const cur = await list('cur')
  const past = q.at === undefined ? undefined : await list('past')
  const schemas = [...new Set([...cur.keys(), ...(past?.keys() ?? [])])].filter(schemaTest(q))
  const none = { entries: [] }
  return schemas.map((schema) => {
    const start = { schema, cur: cur.get(schema) ?? none, past: past?.get(schema) ?? none }
    return entriesOfSchema(engine, q, start, o)
  })
}

const literalOf = ({ schema }: IndexQuery): string => schema?.split('%')[0] ?? ''

/** Tests whether an encoded schema may match. If the encoding was cut, it may: only the record contains the schema. */
function schemaTest(q: IndexQuery): (schema: string) => boolean {
  const matches = schemaMatcher(q.schema)
  return (schema) => {
    const plain = decodeSchema(schema)
    return plain === undefined || matches(plain)
  }
}

/** The entries of one schema; `start` contains the pages that have been listed already. */
export async function* entriesOfSchema(
  engine: Engine,
  q: IndexQuery,
  start: SchemaStart,
  o: OpOptions,
): EntryStream {
  const { schema } = start
  let { size } = q
  const list = (tense: Tense, after: string) => {
    const page = listEntries(engine.blobs, { tense, scope: q.scope, schema }, after, size, o)
    // a caller that needs many entries may need all: the cost of a LIST of a folder depends on the folder's size, not on the limit
    size = Math.min(2 * size, Math.max(LARGEST_LIST, q.size))
    return page
  }
  let { cur, past } = start
  for (let after = q.after; ; ) {
    cur ??= await list('cur', after)
    const through = cur.through
    const here = cur.entries.filter(({ name }) => name > after)
    if (q.at === undefined) yield* here
    else
      yield* bothTenses(
        here,
        ended(q.at, after, through, past, (from) => list('past', from)),
      )
    if (through === undefined) return
    after = further(through, after)
    cur = undefined
    // entries of past/ beyond this range were read before the next page of cur/: they must be read again
    past = undefined
  }
}

/** Entries in `past/`, between two names, that had not ended at a time. */
async function* ended(
  at: Timestamp,
  after: string,
  through: string | undefined,
  first: EntryPage | undefined,
  list: (after: string) => Promise<EntryPage>,
): EntryStream {
  let page = first ?? (await list(after))
  for (;;) {
    for (const entry of page.entries) {
      if (through !== undefined && entry.name > through) return
      if (entry.name > after && entry.end !== undefined && at < entry.end) yield entry
    }
    if (page.through === undefined) return
    page = await list(further(page.through, after))
  }
}

/** Merges both in order, each name once. If both have a name, the entry of `cur/` is used, since it was read first. */
async function* bothTenses(cur: readonly IndexEntry[], past: EntryStream): EntryStream {
  const names = new Set(cur.map(({ name }) => name))
  let i = 0
  for await (const entry of past) {
    for (let next = cur[i]; next !== undefined && next.name < entry.name; next = cur[++i]) yield next
    if (!names.has(entry.name)) yield entry
  }
  yield* cur.slice(i)
}

const further = (a: string, b: string): string => (a > b ? a : b)

/** Merges several ordered streams into one. */
async function* merge(groups: readonly Promise<readonly EntryStream[]>[]): EntryStream {
  const heads = new Map<EntryStream, IndexEntry>()
  const pull = async (stream: EntryStream) => {
    const { done, value } = await stream.next()
    if (done) heads.delete(stream)
    else heads.set(stream, value)
  }
  await Promise.all(groups.map(async (streams) => inParallel(await streams, pull)))
  while (heads.size > 0) {
    const [stream, entry] = [...heads].reduce((least, head) => (head[1].name < least[1].name ? head : least))
    yield entry
    await pull(stream)
  }
}
