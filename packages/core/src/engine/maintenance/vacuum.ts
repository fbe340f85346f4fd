/**
 * Clearing away what an adding that crashed before its commit has left: entries that lead to no record, which cost each
 * reader that meets them a request. What an update left so is cleared by the next update.
 *
 * | step | a crash after it leaves | who adds, if it lives after all |
 * |---|---|---|
 * | 1. create `id/<uuid>/r` with a text that is no record | entries, for the next sweep | is refused at its commit, and says so |
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
import { createOnce, deleteAll, readText } from '../records/blobs.js'
import { listPage } from '../records/list-page.js'
import { GIVEN_UP, isGivenUp } from '../records/texts.js'

const PAGE = 1000
const CURRENT = 'cur/'

/** The number of addings that were given up: those that would have begun before a time. */
export async function sweepBefore(engine: Engine, before: Timestamp, o: OpOptions): Promise<number> {
  const swept = new Set<string>()
  for (let startAfter: string | undefined; ; ) {
    const page = { prefix: CURRENT, limit: PAGE, ...(startAfter && { startAfter }) }
    const { items, more } = await listPage(engine.blobs, page, o)
    startAfter = items.at(-1)?.key
    const old = items.flatMap(({ key }) => addedEntry(key) ?? []).filter((e) => e.validFrom < before)
    await inParallel(old, async (entry) => {
      if (await giveUp(engine, entry, o)) swept.add(entry.uuid)
    })
    if (!more) return swept.size
  }
}

function addedEntry(key: string): Entry | undefined {
  const [name = '', schema = ''] = key.split('/').reverse()
  const { entry, tail } = parseEntry(schema, name) ?? {}
  return entry?.slot === undefined && tail === undefined ? entry : undefined
}

async function giveUp(engine: Engine, entry: Entry, o: OpOptions): Promise<boolean> {
  const key = idKey(entry.uuid)
  const text = await readText(engine.blobs, key, o)
  if (text !== undefined && !isGivenUp(text)) return false
  if (text === undefined) {
    const outcome = await createOnce(engine, key, GIVEN_UP, o)
    if (outcome.kind === 'refused') throw outcome.error
    if (outcome.kind === 'taken') return false
  }
  await deleteAll(engine.blobs, currentKeys(entry), o)
  return true
}
