/**
 * Removes the entries of adds that crashed before their commit. They lead to no record, and cost each reader that finds them a
 * request. Entries of crashed updates are removed by the next update.
 *
 * | step | a crash after it leaves | the add, if it is still running |
 * |---|---|---|
 * | 1. create `id/<uuid>/r` with a tombstone | entries, for the next vacuum | fails at its commit with `already-exists` |
 * | 2. delete the entries | only the tombstone | removes the entries that it wrote since |
 *
 * Step 1 and the commit create the same key. So no record loses its entries, even if clocks differ.
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

/** Removes unfinished adds whose records would begin before a time, and returns their number. */
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
