/**
 * Adding a record, outside the logs: any number of writers add at once, and none waits for another.
 *
 * | step | a crash after it leaves | a reader sees | the next writer |
 * |---|---|---|---|
 * | 1. index entries | entries without a record, until somebody sweeps | nothing: it finds no record behind them | passes them over |
 * | 2. create `id/<uuid>/r`: **the commit** | all of it | the record | |
 */
import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { type Timestamp, timestamp } from '../../model/time.js'
import { aspectUrn } from '../../model/urn.js'
import type { AspectDraft, OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import { encodeAspect } from '../../rules/aspect-json.js'
import type { Engine } from '../context.js'
import { currentKeys, entryOf } from '../index/entries.js'
import { idKey, pairOf } from '../keys.js'
import { afterOutcome, createOnce, deleteAll, putMarks } from '../records/blobs.js'
import type { StoredRecord } from '../records/texts.js'
import { linkSchema } from '../schemas.js'

/** `at`: when the record begins; now, unless the caller says so. */
export async function addAspect(
  engine: Engine,
  draft: AspectDraft,
  o: OpOptions & { readonly at?: Timestamp },
): Promise<AspectRecord> {
  const pair = pairOf(draft.entity, draft.schema)
  await linkSchema(engine, pair.schema, o)
  const uuid = engine.uuid()
  const record = recordOf(engine, draft, uuid, o.at ?? timestamp(engine.clock()))
  const hints = currentKeys(entryOf(pair, uuid, record.validFrom))
  try {
    await putMarks(engine.blobs, hints, o)
    o.signal?.throwIfAborted()
  } catch (error) {
    await bestEffort(deleteAll(engine.blobs, hints, afterFailure(error, o)))
    throw error
  }
  // if this throws, the record may be there: the entries stay, as only they make it found
  const outcome = await createOnce(engine, idKey(uuid), encodeAspect(record), o)
  if (outcome.kind === 'mine') return record
  await bestEffort(deleteAll(engine.blobs, hints, afterOutcome(outcome, o)))
  if (outcome.kind === 'refused') throw outcome.error
  throw new IvcapError(
    'already-exists',
    `The new id ${record.id} is taken, by another record or by a sweep that took this for abandoned: add it again`,
    {
      resource: record.id,
    },
  )
}

export function recordOf(
  engine: Engine,
  draft: AspectDraft,
  uuid: string,
  validFrom: Timestamp,
): StoredRecord {
  const { entity, schema, content, policy } = draft
  return {
    id: aspectUrn(uuid),
    entity,
    schema,
    content,
    validFrom,
    ...(engine.asserter !== undefined && { asserter: engine.asserter }),
    ...(policy && { policy }),
  }
}

/** For what may be left to the next writer: a failure changes nothing that anybody sees. */
export async function bestEffort(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch {
    // the next writer, or nobody, will do it
  }
}
