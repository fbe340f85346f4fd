/**
 * An update: one record that replaces all records in force for its (entity, schema).
 *
 * | step | a crash after it leaves | a reader sees | the next writer |
 * |---|---|---|---|
 * | 1. read the current state: newest slot, added records | nothing | the old records | |
 * | 2. choose `validFrom`, later than all of these | nothing | the old records | |
 * | 3. hints: pointer by id, index entries, marks on replaced records, notes beside added records | hints without a slot | the old records: the slot that the hints name does not exist, or belongs to another update | takes the slot; then the hints have no effect, and it removes their entries |
 * | 4. create slot n + 1: **the commit** | the complete update | the new record: because of the marks it reads the slot, which exists | finds the replaced records in `cur/` and moves them |
 * | 5. after the return: move the replaced records to `past/` | some of them in both indexes | the new record | moves the rest |
 *
 * If the slot of step 4 exists already, another update has won it: the hints are removed, and the update starts again with a new
 * id. If step 4 gets no response, the slot is read to learn who won it. An added record that is committed after step 1 stays in
 * force.
 */

import { IvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { aspectUrn } from '../../model/urn.js'
import type { AspectDraft, OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import { encodeAspect } from '../../rules/aspect-json.js'
import { nextValidFrom } from '../../rules/aspects.js'
import { bestEffort } from '../background.js'
import type { Engine } from '../context.js'
import { currentKeys, type Entry, entryOf, lateMarks, markKeys } from '../index/entries.js'
import { idKey, type Pair, pairOf, slotKey } from '../keys.js'
import { deleteAll, putHints } from '../records/blobs.js'
import { afterOutcome, commit } from '../records/create-once.js'
import { noteKey } from '../records/standalone.js'
import { pointerText, type StoredRecord } from '../records/texts.js'
import { recordOf } from './add.js'
import { type CurrentState, moveStaleLater, readCurrentState } from './current-state.js'
import { moveLater } from './history.js'

/** Maximum number of attempts. The pauses between them grow, so that this limit is reached only under lasting contention. */
const MAX_ATTEMPTS = 60
const MAX_PAUSE_MS = 1_000

export async function updateAspect(engine: Engine, draft: AspectDraft, o: OpOptions): Promise<AspectRecord> {
  const pair = pairOf(draft.entity, draft.schema)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const record = await tryReplace(engine, draft, pair, o)
    if (record !== undefined) return record
    await engine.pause(engine.random() * Math.min(5 * 2 ** attempt, MAX_PAUSE_MS), o.signal)
  }
  throw new IvcapError(
    'unavailable',
    `${MAX_ATTEMPTS} times, another writer updated ${draft.schema} of ${draft.entity} first: try again later`,
    { resource: draft.entity },
  )
}

/** Returns undefined if another update won the slot. */
async function tryReplace(
  engine: Engine,
  draft: AspectDraft,
  pair: Pair,
  o: OpOptions,
): Promise<AspectRecord | undefined> {
  const { blobs } = engine
  const [current] = await Promise.all([readCurrentState(engine, pair, o), engine.layout.check(o)])
  const slot = (current.head?.slot ?? 0) + 1
  const uuid = engine.uuid()
  const pointer = idKey(uuid)
  const record = nextRecord(engine, draft, uuid, current)
  const entry = entryOf(pair, uuid, record.validFrom, slot)
  const hints = hintsOf(record, entry, slot, current.replaced)
  try {
    const texts = hints.map((key) => [key, ''] as const)
    const pointers = [[pointer, pointerText({ ...pair, slot })]] as const
    await putHints(blobs, new Map([...pointers, ...texts]), lateMarks(entry), o)
    o.signal?.throwIfAborted()
  } catch (error) {
    await bestEffort(deleteAll(blobs, [...hints, pointer], afterFailure(error, o)))
    throw error
  }
  // if this throws, this update may have won the slot: the hints must stay
  const outcome = await commit(engine, slotKey(pair, slot), encodeAspect(record), o)
  if (outcome.kind === 'mine') {
    const replaced = current.replaced.map((entry) => ({ entry, end: record.validFrom, marks: [uuid] }))
    await moveLater(engine, [...replaced, ...current.leftovers], o)
    await moveStaleLater(engine, current.stale, o)
    return record
  }
  await bestEffort(deleteAll(blobs, [...hints, pointer], afterOutcome(outcome, o)))
  if (outcome.kind === 'refused') throw outcome.error
  return undefined
}

function nextRecord(engine: Engine, draft: AspectDraft, uuid: string, current: CurrentState): StoredRecord {
  const { head, replaced } = current
  const newest = replaced.reduce<Entry | undefined>(
    (a, b) => (a === undefined || b.validFrom > a.validFrom ? b : a),
    undefined,
  )
  const validFrom = nextValidFrom(engine.clock(), {
    ...(newest && { validFrom: newest.validFrom }),
    ...(head && { closedAt: head.ends.validTo }),
  })
  const record = recordOf(engine, draft, uuid, validFrom)
  return newest === undefined ? record : { ...record, replaces: aspectUrn(newest.uuid) }
}

function hintsOf(
  record: StoredRecord,
  entry: Entry,
  slot: number,
  replaced: readonly Entry[],
): readonly string[] {
  const { uuid } = entry
  const validTo = record.validFrom
  const notes = replaced.filter((entry) => entry.slot === undefined)
  return [
    ...currentKeys(entry),
    ...replaced.flatMap((entry) => markKeys(entry, uuid, validTo)),
    ...notes.map((entry) => noteKey(entry.uuid, { validTo, slot, by: uuid })),
  ]
}
