/**
 * Retracts a record.
 *
 * | step | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. marks on its entries | marks without a closing | the record, open: it reads the end because of the marks |
 * | 2. create the closing, once: **the commit** | the retraction | the record, closed |
 * | 3. after the return: move it to the history | see `history.ts`; a repeated retraction or the next update finishes the move | |
 *
 * The closing of a slot is the next slot. If the key of step 2 exists already, another writer has ended the record.
 */

import type { Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import { closingTime } from '../../rules/aspects.js'
import { bestEffort } from '../background.js'
import type { Engine } from '../context.js'
import { byEntity, type Entry, markKeys, sortPrefix } from '../index/entries.js'
import { listEntries } from '../index/pages.js'
import { deleteAll, putMarks } from '../records/blobs.js'
import { afterOutcome, commit } from '../records/create-once.js'
import { findById } from '../records/find-by-id.js'
import { closingText } from '../records/texts.js'
import { moveLater, moveToHistory } from './history.js'

export async function retractAspect(engine: Engine, id: Urn, o: OpOptions): Promise<void> {
  const [found] = await Promise.all([findById(engine, id, o), engine.layout.check(o)])
  const { record, entry, closing, end } = found
  if (end !== undefined) {
    await engine.background.start(() => finish(engine, entry, end.validTo, afterFailure(undefined, o)))
    return
  }
  const nonce = engine.uuid()
  const validTo = closingTime(engine.clock(), record.validFrom)
  const marks = markKeys(entry, nonce, validTo)
  const how = { validTo, ...(engine.asserter !== undefined && { retracter: engine.asserter }) }
  try {
    await putMarks(engine.blobs, marks, o)
    o.signal?.throwIfAborted()
  } catch (error) {
    await bestEffort(deleteAll(engine.blobs, marks, afterFailure(error, o)))
    throw error
  }
  const outcome = await commit(engine, closing, closingText(how, nonce), o)
  if (outcome.kind === 'mine') {
    await moveLater(engine, [{ entry, end: validTo, marks: [nonce] }], o)
    return
  }
  await bestEffort(deleteAll(engine.blobs, marks, afterOutcome(outcome, o)))
  if (outcome.kind === 'refused') throw outcome.error
}

/** Moves the entry that a writer left in `cur/` because it stopped after its commit. */
async function finish(engine: Engine, entry: Entry, end: string, o: OpOptions): Promise<void> {
  const { pair, name } = entry
  const part = { tense: 'cur', scope: byEntity(pair.entity), schema: pair.schema } as const
  const before = sortPrefix(entry.validFrom, entry.uuid)
  const { entries } = await listEntries(engine.blobs, part, before, 10, o)
  const marks = entries.find((listed) => listed.name === name)?.marks
  if (marks !== undefined) await moveToHistory(engine, [{ entry, end, marks }], o)
}
