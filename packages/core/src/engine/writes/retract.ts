/**
 * Retracting a record.
 *
 * | step | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. marks on its entries | marks without a closing | the record, open: it asks because of the marks |
 * | 2. create the closing, once: **the commit** | the retraction | the record, closed |
 * | 3. tidy | see there; retracting again finishes it, as does the next update | |
 *
 * The closing of a slot is the next slot. Step 2 refused: another has ended the record.
 */

import type { Urn } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import { closingTime } from '../../rules/aspects.js'
import type { Engine } from '../context.js'
import { byEntity, type Entry, markKeys } from '../index/entries.js'
import { listEntries } from '../index/pages.js'
import { afterOutcome, createOnce, deleteAll, putMarks } from '../records/blobs.js'
import { findById } from '../records/find-by-id.js'
import { closingText } from '../records/texts.js'
import { bestEffort } from './add.js'
import { tidy } from './history.js'

export async function retractAspect(engine: Engine, id: Urn, o: OpOptions): Promise<void> {
  const { record, entry, closing, end } = await findById(engine, id, o)
  if (end !== undefined) return await bestEffort(finish(engine, entry, end.validTo, o))
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
  const outcome = await createOnce(engine, closing, closingText(how, nonce), o)
  if (outcome.kind === 'mine') {
    return await bestEffort(tidy(engine, [{ entry, end: validTo, marks: [nonce] }], o))
  }
  await bestEffort(deleteAll(engine.blobs, marks, afterOutcome(outcome, o)))
  if (outcome.kind === 'refused') throw outcome.error
}

/** What a writer that stopped after its commit left in `cur/`. */
async function finish(engine: Engine, entry: Entry, end: string, o: OpOptions): Promise<void> {
  const { pair, name } = entry
  const place = { tense: 'cur', scope: byEntity(pair.entity), schema: pair.schema } as const
  const before = name.slice(0, -1)
  const { entries } = await listEntries(engine.blobs, place, before, 10, o)
  const marks = entries.find((listed) => listed.name === name)?.marks
  if (marks !== undefined) await tidy(engine, [{ entry, end, marks }], o)
}
