/**
 * Which schemas there are. Schemas are linked in the order of their keys, by `cur/s/<schema>/!<a later schema>`, so that the
 * LIST that shows the newest records of one tells, too, whether another comes behind it. Before the first record of a schema:
 *
 * | step | a crash after it leaves |
 * |---|---|
 * | 1. announce: `schemas/<schema>` | a schema that has no records |
 * | 2. list what is announced, and link: to the next, and from those before it | links to a schema that has no records: who follows them finds what comes after it |
 * | 3. `schemas/<schema>!`: it is linked, and may have records | |
 *
 * Step 2 links from the nearest linked one before it, and from all between, which may never get there. So of two linked schemas
 * without a linked one between them, the first has a link to the second, or to one before that: whoever of the two lists
 * later sees the other announced.
 */
import { isIvcapError } from '../model/errors.js'
import type { BlobStore, OpOptions } from '../ports/index.js'
import type { Engine } from './context.js'
import { linkKey } from './index/entries.js'
import { LINKED, SCHEMAS, schemaKey } from './keys.js'
import { putMarks } from './records/blobs.js'
import { listPage } from './records/list-page.js'

const PAGE = 1000

/** To be awaited before anything is written that bears the schema. One HEAD where it is linked already; none the next time. */
export async function linkSchema(engine: Engine, schema: string, o: OpOptions): Promise<void> {
  const { blobs, linked } = engine
  if (linked.has(schema)) return
  const done = `${schemaKey(schema)}${LINKED}`
  if (!(await exists(blobs, done, o))) {
    await putMarks(blobs, [schemaKey(schema)], o)
    await putMarks(blobs, linksOf(schema, await announced(blobs, '', o)), o)
    await putMarks(blobs, [done], o)
  }
  linked.add(schema)
}

/** All schemas that may have records, now or in the past, whose encoding starts so. */
export async function linkedSchemas(
  blobs: BlobStore,
  encodedPrefix: string,
  o: OpOptions,
): Promise<readonly string[]> {
  const found = await announced(blobs, encodedPrefix, o)
  return [...found].flatMap(([schema, linked]) => (linked ? [schema] : []))
}

/** All schemas, as they stand in keys, each with whether it is linked. */
export const knownSchemas = (blobs: BlobStore, o: OpOptions): Promise<ReadonlyMap<string, boolean>> =>
  announced(blobs, '', o)

/** Each with whether it is linked. */
async function announced(
  blobs: BlobStore,
  encodedPrefix: string,
  o: OpOptions,
): Promise<ReadonlyMap<string, boolean>> {
  const found = new Map<string, boolean>()
  const prefix = `${SCHEMAS}${encodedPrefix}`
  for (let startAfter: string | undefined; ; ) {
    const page = { prefix, limit: PAGE, ...(startAfter && { startAfter }) }
    const { items, more } = await listPage(blobs, page, o)
    for (const { key } of items) {
      const [schema = '', linked] = key.slice(SCHEMAS.length).split(LINKED)
      found.set(schema, linked !== undefined)
      startAfter = key
    }
    if (!more) return found
  }
}

function linksOf(schema: string, known: ReadonlyMap<string, boolean>): readonly string[] {
  const sorted = [...known.keys()].sort((a, b) => (follows(a, b) ? 1 : -1))
  const before = sorted.filter((other) => follows(schema, other)).reverse()
  const next = sorted.find((other) => follows(other, schema))
  const nearest = before.findIndex((other) => known.get(other))
  const from = nearest < 0 ? before : before.slice(0, nearest + 1)
  return [...from.map((other) => linkKey(other, schema)), ...(next ? [linkKey(schema, next)] : [])]
}

/** As keys of entries do. */
export const follows = (a: string, b: string): boolean => `${a}/` > `${b}/`

async function exists(blobs: BlobStore, key: string, o: OpOptions): Promise<boolean> {
  try {
    await blobs.head(key, o)
    return true
  } catch (error) {
    if (isIvcapError(error, 'not-found')) return false
    throw error
  }
}
