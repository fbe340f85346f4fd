/**
 * Removes what an add that crashed before its commit has left: entries that lead to no record, which cost each reader that
 * meets them a request. The next update removes what an update has left.
 *
 * | step | a crash after it leaves | who adds, if it lives after all |
 * |---|---|---|
 * | 1. create `id/<uuid>/r` with a text that is no record | entries, for the next vacuum | is refused at its commit, and says so |
 * | 2. delete the entries | nothing but that text | removes what it wrote since |
 *
 * Step 1 and the commit create the same key, so whatever the clocks say, no record loses its entries.
 */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { currentKeys, type Entry, parseEntry } from '../index/entries.js'
import { idKey } from '../keys.js'
import { inParallel } from '../parallel.js'
import { deleteAll, listPage, readText } from '../records/blobs.js'
import { createOnce } from '../records/create-once.js'
import { isTombstone, TOMBSTONE } from '../records/texts.js'

const PAGE = 1000
const CURRENT = 'cur/'

/** Returns the number of unfinished adds that it removed: those that would have begun before a time. */
export async function vacuumBefore(engine: Engine, before: Timestamp, o: OpOptions): Promise<number> {
  await engine.layout.check(o)
  const removed = new Set<string>()
  for (let startAfter: string | undefined; ; ) {
    const page = { prefix: CURRENT, limit: PAGE, ...(startAfter && { startAfter }) }
    const { items, more } = await listPage(engine.blobs, page, o)
    startAfter = items.at(-1)?.key
    const old = items.flatMap(({ key }) => addedEntry(key) ?? []).filter((e) => e.validFrom < before)
    await inParallel(old, async (entry) => {
      if (await tombstone(engine, entry, o)) removed.add(entry.uuid)
    })
    if (!more) return removed.size
  }
}

function addedEntry(key: string): Entry | undefined {
  const [name = '', schema = ''] = key.split('/').reverse()
  const { entry, tail } = parseEntry(schema, name) ?? {}
  return entry?.slot === undefined && tail === undefined ? entry : undefined
}

async function tombstone(engine: Engine, entry: Entry, o: OpOptions): Promise<boolean> {
  const key = idKey(entry.uuid)
  const text = await readText(engine.blobs, key, o)
  if (text !== undefined && !isTombstone(text)) return false
  if (text === undefined) {
    const outcome = await createOnce(engine, key, TOMBSTONE, o)
    if (outcome.kind === 'refused') throw outcome.error
    if (outcome.kind === 'taken') return false
  }
  await deleteAll(engine.blobs, currentKeys(entry), o)
  return true
}
