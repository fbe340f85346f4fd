/** Pages of index entries, as LIST gives them. */
import type { Timestamp } from '../../model/time.js'
import type { BlobStore, OpOptions } from '../../ports/index.js'
import { encodeSchemaPrefix } from '../keys.js'
import { listPage } from '../records/list-page.js'
import {
  AFTER,
  BEFORE,
  BY_SCHEMA,
  type Entry,
  indexPrefix,
  parseEntry,
  parseLink,
  parseTail,
  type Scope,
  type Tense,
} from './entries.js'

export interface Listed extends Entry {
  /** Who is about to close it, or has done so. */
  readonly marks: readonly string[]
  /** In `past/`: when it ended, or if there are marks, the latest that it can have ended. */
  readonly end?: Timestamp
}

export interface EntryPage {
  readonly entries: readonly Listed[]
  /** Where to list on; absent: that was all. */
  readonly through?: string
}

export interface Place {
  readonly tense: Tense
  readonly scope: Scope
}

/** A LIST that looks for schemas takes at least this many keys, as one may show several of them. */
const SCHEMA_PAGE = 200

/** The entries of one schema after a place in it, newest first: about `size` of them, in one LIST as a rule. */
export async function listEntries(
  blobs: BlobStore,
  { tense, scope, schema }: Place & { readonly schema: string },
  after: string,
  size: number,
  o: OpOptions,
): Promise<EntryPage> {
  const prefix = `${indexPrefix(tense, scope)}${schema}/`
  const names: string[] = []
  for (;;) {
    const startAfter = `${prefix}${names.at(-1) ?? (after || BEFORE)}`
    const { items, more } = await listPage(blobs, { prefix, startAfter, limit: size }, o)
    names.push(...items.map(({ key }) => key.slice(prefix.length)))
    const page = toPage(schema, names, more, after)
    if (!more || page.entries.length > 0) return page
  }
}

/**
 * The schemas below a place whose encoding fits a literal beginning, each with its newest entries. At most one LIST for each;
 * below an entity, where schemas are not linked, there may be one more, to see that no other follows.
 */
export async function* listSchemas(
  blobs: BlobStore,
  { tense, scope }: Place,
  literal: string,
  size: number,
  o: OpOptions,
): AsyncGenerator<{ schema: string; page: EntryPage }> {
  const base = indexPrefix(tense, scope)
  const beginning = encodeSchemaPrefix(literal)
  const limit = Math.max(size, SCHEMA_PAGE)
  let startAfter: string | undefined
  let open: OpenSchema | undefined
  for (;;) {
    const query = { prefix: `${base}${beginning}`, limit, ...(startAfter && { startAfter }) }
    const { items, more } = await listPage(blobs, query, o)
    for (const { key } of items) {
      const [schema = '', name = ''] = key.slice(base.length).split('/')
      if (open !== undefined && open.schema !== schema) {
        yield { schema: open.schema, page: toPage(open.schema, open.names, false, '') }
        open = undefined
      }
      open ??= { schema, names: [], links: [] }
      const link = parseLink(name)
      if (link === undefined) open.names.push(name)
      else open.links.push(link)
      startAfter = key
    }
    if (open !== undefined && (!more || open.names.length >= size)) {
      yield { schema: open.schema, page: toPage(open.schema, open.names, more, '') }
      if (scope === BY_SCHEMA && !open.links.some((later) => later.startsWith(beginning))) return
      // the rest of this schema is listed when somebody asks for it
      startAfter = `${base}${open.schema}/${AFTER}`
      open = undefined
    }
    if (!more) return
  }
}

interface OpenSchema {
  readonly schema: string
  readonly names: string[]
  readonly links: string[]
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
function fold(schema: string, names: readonly string[]): readonly Listed[] {
  const listed: Listed[] = []
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
