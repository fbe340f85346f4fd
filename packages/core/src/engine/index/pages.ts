/** Pages of index entries, as LIST gives them. */
import type { Timestamp } from '../../model/time.js'
import type { BlobStore, OpOptions } from '../../ports/index.js'
import { encodeSchemaPrefix } from '../keys.js'
import { listPage } from '../records/blobs.js'
import {
  AFTER,
  BEFORE_NAMES,
  type Entry,
  indexPrefix,
  parseEntry,
  parseTail,
  type Scope,
  type Tense,
} from './entries.js'

export interface IndexEntry extends Entry {
  /** The writers that are about to close it, or have done so. */
  readonly marks: readonly string[]
  /** In `past/`: when it ended, or if there are marks, the latest that it can have ended. */
  readonly end?: Timestamp
}

export interface EntryPage {
  readonly entries: readonly IndexEntry[]
  /** Where to list on; absent: that was all. */
  readonly through?: string
}

/** An index has four parts: what is in force and what was, by entity and by schema. */
export interface IndexPart {
  readonly tense: Tense
  readonly scope: Scope
}

/** Entries in a LIST of an entity, at least: it may show several schemas. */
const ENTITY_PAGE = 200
/** Entries in a LIST, as many as stores give. */
export const LARGEST_LIST = 1000

/** The entries of one schema after a name, newest first: about `size` of them, in one LIST as a rule. */
export async function listEntries(
  blobs: BlobStore,
  { tense, scope, schema }: IndexPart & { readonly schema: string },
  after: string,
  size: number,
  o: OpOptions,
): Promise<EntryPage> {
  const prefix = `${indexPrefix(tense, scope)}${schema}/`
  const names: string[] = []
  for (;;) {
    const startAfter = `${prefix}${names.at(-1) ?? (after || BEFORE_NAMES)}`
    const { items, more } = await listPage(blobs, { prefix, startAfter, limit: size }, o)
    names.push(...items.map(({ key }) => key.slice(prefix.length)))
    const page = toPage(schema, names, more, after)
    if (!more || page.entries.length > 0) return page
  }
}

/** The schemas that have entries in a part of an index and whose encoding fits a literal beginning: a LIST with a delimiter. */
export async function listSchemas(
  blobs: BlobStore,
  { tense, scope }: IndexPart,
  literal: string,
  o: OpOptions,
): Promise<readonly string[]> {
  const base = indexPrefix(tense, scope)
  const query = {
    prefix: `${base}${encodeSchemaPrefix(literal)}`,
    delimiter: '/',
    limit: LARGEST_LIST,
  } as const
  const schemas: string[] = []
  for (let startAfter = ''; ; ) {
    const {
      prefixes = [],
      more,
      last,
    } = await listPage(blobs, { ...query, ...(startAfter && { startAfter }) }, o)
    schemas.push(...prefixes.map((prefix) => prefix.slice(base.length, -1)))
    if (!more || last === undefined) return schemas
    startAfter = last
  }
}

/** The newest entries of each schema of an entity: in one LIST where they are few, and one more after each schema that has many. */
export async function listByEntity(
  blobs: BlobStore,
  { tense, scope }: IndexPart,
  literal: string,
  size: number,
  o: OpOptions,
): Promise<ReadonlyMap<string, EntryPage>> {
  const base = indexPrefix(tense, scope)
  const query = { prefix: `${base}${encodeSchemaPrefix(literal)}`, limit: Math.max(size, ENTITY_PAGE) }
  const pages = new Map<string, EntryPage>()
  for (let startAfter = ''; ; ) {
    const { items, more } = await listPage(blobs, { ...query, ...(startAfter && { startAfter }) }, o)
    const names = new Map<string, string[]>()
    for (const { key } of items) {
      const [schema = '', name = ''] = key.slice(base.length).split('/')
      const ofSchema = names.get(schema)
      if (ofSchema === undefined) names.set(schema, [name])
      else ofSchema.push(name)
    }
    const last = [...names.keys()].at(-1)
    for (const [schema, listed] of names)
      pages.set(schema, toPage(schema, listed, more && schema === last, ''))
    if (!more || last === undefined) return pages
    // the rest of this schema is listed when it is read
    startAfter = `${base}${last}/${AFTER}`
  }
}

/** Where more follows, the last entry waits for the next page: its marks may stand there. */
function toPage(schema: string, names: readonly string[], more: boolean, after: string): EntryPage {
  const entries = fold(schema, names)
  if (!more) return { entries }
  const whole = entries.slice(0, -1)
  const last = whole.at(-1)
  return { entries: whole, through: last === undefined ? after : `${last.name}${AFTER}` }
}

/** Marks on what isn't listed itself mean nothing: it was closed and moved, or never was. */
function fold(schema: string, names: readonly string[]): readonly IndexEntry[] {
  const listed: IndexEntry[] = []
  let marks: string[] = []
  let marked = ''
  for (const name of names) {
    const parsed = parseEntry(schema, name)
    if (parsed === undefined) continue
    const { entry, tail } = parsed
    if (entry.name !== marked) marks = []
    marked = entry.name
    const { by, end } = parseTail(tail)
    if (by !== undefined) marks.push(by)
    // of several ends in past/ the first one, which is the earliest, counts
    else if (listed.at(-1)?.name !== entry.name) listed.push({ ...entry, marks, ...(end && { end }) })
  }
  return listed
}
