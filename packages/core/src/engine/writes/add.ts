/**
 * Adds a record outside the logs: any number of writers may add concurrently, and none waits for another.
 *
 * | step | a crash after it leaves | a reader sees | the next writer |
 * |---|---|---|---|
 * | 1. index entries | entries without a record, until a vacuum | nothing: the entries lead to no record | ignores them |
 * | 2. create `id/<uuid>/r`: **the commit** | the complete record | the record | |
 */

import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { type Timestamp, timestamp } from '../../model/time.js'
import { aspectUrn } from '../../model/urn.js'
import type { AspectDraft, OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import { encodeAspect } from '../../rules/aspect-json.js'
import { bestEffort } from '../background.js'
import type { Engine } from '../context.js'
import { currentKeys, entryOf, lateMarks } from '../index/entries.js'
import { idKey, pairOf } from '../keys.js'
import { inParallel } from '../parallel.js'
import { deleteAll, putHints } from '../records/blobs.js'
import { afterOutcome, commit } from '../records/create-once.js'
import type { StoredRecord } from '../records/texts.js'

/** @param o `at` is the start of the record; the default is now */
export async function addAspect(
  engine: Engine,
  draft: AspectDraft,
  o: OpOptions & { readonly at?: Timestamp },
): Promise<AspectRecord> {
  const pair = pairOf(draft.entity, draft.schema)
  const uuid = engine.uuid()
  const record = recordOf(engine, draft, uuid, o.at ?? timestamp(engine.clock()))
  const entry = entryOf(pair, uuid, record.validFrom)
  const hints = currentKeys(entry)
  try {
    const texts = new Map(hints.map((key) => [key, '']))
    const requests = [putHints(engine.blobs, texts, lateMarks(entry), o), engine.layout.check(o)]
    await inParallel(requests, (request) => request)
    o.signal?.throwIfAborted()
  } catch (error) {
    await bestEffort(deleteAll(engine.blobs, hints, afterFailure(error, o)))
    throw error
  }
  // if this throws, the record may exist: the entries must stay, since lists find the record only by them
  const outcome = await commit(engine, idKey(uuid), encodeAspect(record), o)
  if (outcome.kind === 'mine') return record
  await bestEffort(deleteAll(engine.blobs, hints, afterOutcome(outcome, o)))
  if (outcome.kind === 'refused') throw outcome.error
  throw new IvcapError(
    'already-exists',
    `The new id ${record.id} is taken, by another record or by a vacuum() that took this write for abandoned: add it again`,
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
