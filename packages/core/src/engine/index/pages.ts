/** Reads pages of index entries with LIST requests. */
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
  /** The writers that are about to close the record, or have closed it. */
  readonly marks: readonly string[]
  /** In `past/`: the end of the record. If there are marks, the end may be earlier. */
  readonly end?: Timestamp
}

export interface EntryPage {
  readonly entries: readonly IndexEntry[]
  /** The name after which the next page begins; absent on the last page. */
  readonly through?: string
}

/** The index has four parts: records in force and closed records, each by entity and by schema. */
export interface IndexPart {
  readonly tense: Tense
  readonly scope: Scope
}

/** Minimum limit of a LIST of an entity, since it may return several schemas. */
const ENTITY_PAGE = 200
/** Maximum number of entries that stores return for a LIST. */
export const LARGEST_LIST = 1000

/** Returns the entries of one schema after a name, newest first: about `size` of them. Usually sends one LIST. */
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

/** Returns the encoded schemas that have entries in a part of the index and may start with `literal`. Lists with a delimiter. */
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

/** Returns the newest entries of each schema of an entity. Sends one LIST, and one more after each schema with many entries. */
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
    // the remaining entries of this schema are listed when they are needed
    startAfter = `${base}${last}/${AFTER}`
  }
}

/** If more keys follow, the last entry belongs to the next page: further keys of this entry may be there. */
function toPage(schema: string, names: readonly string[], more: boolean, after: string): EntryPage {
  const entries = fold(schema, names)
  if (!more) return { entries }
  const whole = entries.slice(0, -1)
  const last = whole.at(-1)
  return { entries: whole, through: last === undefined ? after : `${last.name}${AFTER}` }
}

/** Marks without a listed entry have no effect: the record was closed and moved, or never existed. */
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
    // if past/ has several ends of an entry, the first one counts: it is the earliest
    else if (listed.at(-1)?.name !== entry.name) listed.push({ ...entry, marks, ...(end && { end }) })
  }
  return listed
}
