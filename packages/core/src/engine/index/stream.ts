/**
 * Streams of index entries, newest first, however many schemas they come from. What is in force at a time may still be in
 * `cur/` or already in `past/`; closing a record writes it there before it leaves here, so each stretch of names is listed
 * in `cur/` first, then in `past/`, and a record on its way is met at least once.
 */
import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import { schemaMatcher } from '../../rules/aspects.js'
import type { Engine } from '../context.js'
import { decodeSchema, encodeSchema, encodeSchemaPrefix } from '../keys.js'
import { inParallel } from '../parallel.js'
import { linkedSchemas } from '../schemas.js'
import { BY_SCHEMA, type Scope } from './entries.js'
import { type EntryPage, type Listed, listEntries, listSchemas } from './pages.js'

export interface IndexQuery {
  readonly scope: Scope
  /** A schema, a pattern with `%`, or all. */
  readonly schema?: string
  /** In force at that time; absent: not closed. */
  readonly at?: Timestamp
  /** Names after this one. */
  readonly after: string
  /** Entries to take at once from a schema, at first; twice as many each time. */
  readonly size: number
}

/** Entries that may be in force, in the order of their names. Those with marks, and hints without a record, are for the reader to check. */
export async function* entries(engine: Engine, q: IndexQuery, o: OpOptions): AsyncGenerator<Listed> {
  if (q.schema !== undefined && !q.schema.includes('%')) {
    yield* ofSchema(engine, q, { schema: encodeSchema(q.schema) }, o)
    return
  }
  const heads = await findSchemas(engine, q, o)
  yield* merge(heads.map((head) => ofSchema(engine, q, head, o)))
}

/** Entries in a LIST, as many as stores give. */
const LARGEST_LIST = 1000

interface Head {
  readonly schema: string
  readonly cur?: EntryPage
  readonly past?: EntryPage
}

/** Now: one LIST per schema, fewer where they are small. As of a time, when others may have been the newest: one for all. */
async function findSchemas(engine: Engine, q: IndexQuery, o: OpOptions): Promise<readonly Head[]> {
  const fits = schemaMatcher(q.schema)
  const matches = (schema: string) => {
    const plain = decodeSchema(schema)
    return plain === undefined || fits(plain)
  }
  const literal = q.schema?.split('%')[0] ?? ''
  if (q.at !== undefined && q.scope === BY_SCHEMA) {
    const schemas = await linkedSchemas(engine.blobs, encodeSchemaPrefix(literal), o)
    return schemas.filter(matches).map((schema) => ({ schema }))
  }
  const heads = new Map<string, Head>()
  for (const tense of q.at === undefined ? (['cur'] as const) : (['cur', 'past'] as const)) {
    for await (const found of listSchemas(engine.blobs, { tense, scope: q.scope }, literal, q.size, o)) {
      if (!matches(found.schema)) continue
      heads.set(found.schema, {
        ...(heads.get(found.schema) ?? { schema: found.schema, cur: { entries: [] }, past: { entries: [] } }),
        [tense]: found.page,
      })
    }
  }
  return [...heads.values()]
}

async function* ofSchema(engine: Engine, q: IndexQuery, head: Head, o: OpOptions): AsyncGenerator<Listed> {
  const { schema } = head
  let { size } = q
  const list = (tense: 'cur' | 'past', after: string) => {
    const page = listEntries(engine.blobs, { tense, scope: q.scope, schema }, after, size, o)
    // who wants that many may want all: a LIST of a folder costs as much as the folder is large
    size = Math.min(2 * size, Math.max(LARGEST_LIST, q.size))
    return page
  }
  let { cur, past } = head
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
    // what was read of past/ beyond this stretch is older than the next page of cur/: read it again
    past = undefined
  }
}

/** What had begun but not ended at a time, between two names. */
async function* ended(
  at: Timestamp,
  after: string,
  through: string | undefined,
  first: EntryPage | undefined,
  list: (after: string) => Promise<EntryPage>,
): AsyncGenerator<Listed> {
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

/** Both in order, each name once; what `cur/` says counts, since it was read first. */
async function* bothTenses(cur: readonly Listed[], past: AsyncGenerator<Listed>): AsyncGenerator<Listed> {
  const names = new Set(cur.map(({ name }) => name))
  let i = 0
  for await (const entry of past) {
    for (let next = cur[i]; next !== undefined && next.name < entry.name; next = cur[++i]) yield next
    if (!names.has(entry.name)) yield entry
  }
  yield* cur.slice(i)
}

const further = (a: string, b: string): string => (a > b ? a : b)

/** Several ordered streams as one. */
async function* merge(streams: readonly AsyncGenerator<Listed>[]): AsyncGenerator<Listed> {
  const heads = new Map<AsyncGenerator<Listed>, Listed>()
  const pull = async (stream: AsyncGenerator<Listed>) => {
    const { done, value } = await stream.next()
    if (done) heads.delete(stream)
    else heads.set(stream, value)
  }
  await inParallel(streams, pull)
  while (heads.size > 0) {
    const [stream, entry] = [...heads].reduce((least, head) => (head[1].name < least[1].name ? head : least))
    yield entry
    await pull(stream)
  }
}
