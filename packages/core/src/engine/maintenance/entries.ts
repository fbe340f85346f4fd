/** Checks that the indexes lead to a record, and that they agree with it about its end. */

import { isIvcapError } from '../../model/errors.js'
import type { Problem } from '../../model/problems.js'
import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import { bestEffort } from '../background.js'
import type { Engine } from '../context.js'
import {
  BY_SCHEMA,
  byEntity,
  currentKeys,
  currentMarks,
  entryPrefix,
  indexPrefix,
  parseEntry,
  parseTail,
  pastKeys,
  type Scope,
  sortPrefix,
  type Tense,
} from '../index/entries.js'
import { closingKey, idKey, slotKey } from '../keys.js'
import { inParallel } from '../parallel.js'
import { deleteAll, listPage, putMarks, putText, readText } from '../records/blobs.js'
import { createOnce } from '../records/create-once.js'
import { slotEnd } from '../records/log.js'
import { standaloneEnd } from '../records/standalone.js'
import { closingText, type End, parsePointer, pointerText } from '../records/texts.js'
import { type LocatedRecord, unreadable } from './records.js'

export interface EntryState {
  /** Problems that were not repaired. */
  readonly problems: readonly Problem[]
  readonly mended: readonly Problem[]
}

interface Fault {
  readonly problem: Problem
  readonly mend?: () => Promise<void>
}

/** Number of checks of a record. It may look inconsistent while it is being closed: only faults that all checks find count. */
const LOOKS = 3
/** Maximum rounds of repair. One repair may reveal the next fault, e.g. a lost closing, then the entries of the closed record. */
const MENDS = 6

/** Compares the entries of a record, and the pointer to it, with the record; rebuilds them if `mend` is set. */
export async function examineEntry(
  engine: Engine,
  located: LocatedRecord,
  mend: boolean,
  o: OpOptions,
): Promise<EntryState> {
  const mended: Problem[] = []
  for (let round = 0; ; round++) {
    const faults = await lastingFaults(engine, located, o)
    const fixes = faults.filter((fault) => fault.mend !== undefined)
    if (!mend || fixes.length === 0 || round >= MENDS)
      return { problems: faults.map(({ problem }) => problem), mended }
    for (const { problem, mend: fix } of fixes) {
      await fix?.()
      if (!mended.some(({ message }) => message === problem.message)) mended.push(problem)
    }
  }
}

async function lastingFaults(
  engine: Engine,
  located: LocatedRecord,
  o: OpOptions,
): Promise<readonly Fault[]> {
  let faults = await faultsOf(engine, located, o)
  for (let look = 1; faults.length > 0 && look < LOOKS; look++) {
    const again = await faultsOf(engine, located, o)
    const messages = new Set(again.map(({ problem }) => problem.message))
    faults = faults.filter(({ problem }) => messages.has(problem.message))
  }
  return faults
}

async function faultsOf(engine: Engine, located: LocatedRecord, o: OpOptions): Promise<readonly Fault[]> {
  const { entry } = located
  // cur/ is read before past/: a record that is moved meanwhile is found at least once
  const scopes: readonly Scope[] = [byEntity(entry.pair.entity), BY_SCHEMA]
  const states = await inParallel(scopes, async (scope) => {
    const cur = await tailsOf(engine, 'cur', scope, located, o)
    const past = await tailsOf(engine, 'past', scope, located, o)
    return {
      scope,
      listed: cur.includes(undefined),
      marked: cur.some((tail) => tail !== undefined),
      ends: past.flatMap((tail) => parseTail(tail).end ?? []),
      endsMarked: past.some((tail) => parseTail(tail).by !== undefined),
    }
  })
  // the end is read after the entries: a record that is open now was open when its entries were read
  let end: End | undefined
  try {
    end = await endOf(engine, located, o)
  } catch (error) {
    if (isIvcapError(error, 'integrity')) return []
    throw error
  }
  const faults = states.flatMap((state) =>
    end === undefined ? openFaults(engine, located, state, o) : closedFaults(engine, located, end, state, o),
  )
  return [...faults, ...(await pointerFaults(engine, located, o))]
}

interface IndexState {
  readonly scope: Scope
  readonly listed: boolean
  readonly marked: boolean
  readonly ends: readonly Timestamp[]
  readonly endsMarked: boolean
}

function openFaults(
  engine: Engine,
  located: LocatedRecord,
  state: IndexState,
  o: OpOptions,
): readonly Fault[] {
  const { record, entry } = located
  const [end] = state.ends
  if (end !== undefined) {
    // past/ is written only after the closing: so the closing is lost
    if (entry.slot !== undefined) {
      const key = slotKey(entry.pair, entry.slot + 1)
      const message = `${record.id} ended at ${end}, but ${key}, which ended it, is lost: restore it from a copy`
      return [unreadable(key, message)]
    }
    const message = `${record.id} ended at ${end}, but its closing is lost`
    const mend = async () => {
      const text = closingText({ validTo: end }, engine.uuid())
      await createOnce(engine, closingKey(entry.uuid), text, o)
    }
    return [wrongIndex(located, message, mend)]
  }
  if (state.listed) return []
  const message = `${record.id} is in force, and not in the index ${entryPrefix('cur', state.scope, entry)}`
  return [wrongIndex(located, message, () => mendOpen(engine, located, o))]
}

function closedFaults(
  engine: Engine,
  located: LocatedRecord,
  end: End,
  state: IndexState,
  o: OpOptions,
): readonly Fault[] {
  const { record, entry } = located
  const faults: Fault[] = []
  const past = () => putMarks(engine.blobs, pastKeys(entry, end.validTo), o)
  const told = state.ends[0] === end.validTo || state.endsMarked
  if (state.listed && !state.marked) {
    const message = `${record.id} ended at ${end.validTo}, and the index says that it is in force`
    const mend = async () => {
      await putMarks(engine.blobs, currentMarks(entry, engine.uuid()), o)
      await past()
    }
    faults.push(wrongIndex(located, message, mend))
  }
  if (!told && (!state.listed || state.ends.length > 0)) {
    const index = entryPrefix('past', state.scope, entry)
    const message = `${record.id} ended at ${end.validTo}, and the index ${index} does not say so`
    const earlier = state.ends[0] !== undefined && state.ends[0] < end.validTo
    faults.push(wrongIndex(located, message, earlier ? undefined : past))
  }
  return faults
}

/**
 * The mark is written first and makes readers read the end of the record. So if another writer closes the record and removes its
 * entries meanwhile, the entry written here does not make the record look open.
 */
async function mendOpen(engine: Engine, located: LocatedRecord, o: OpOptions): Promise<void> {
  const { entry } = located
  const marks = currentMarks(entry, engine.uuid())
  await putMarks(engine.blobs, marks, o)
  await putMarks(engine.blobs, currentKeys(entry), o)
  const end = await endOf(engine, located, o)
  if (end !== undefined) await putMarks(engine.blobs, pastKeys(entry, end.validTo), o)
  if (end !== undefined) await deleteAll(engine.blobs, currentKeys(entry), o)
  await bestEffort(deleteAll(engine.blobs, marks, o))
}

async function pointerFaults(
  engine: Engine,
  located: LocatedRecord,
  o: OpOptions,
): Promise<readonly Fault[]> {
  const { record, entry } = located
  const { slot, pair, uuid } = entry
  if (slot === undefined) return []
  const key = idKey(uuid)
  const text = await readText(engine.blobs, key, o).catch((error: unknown) => {
    if (isIvcapError(error, 'integrity')) return ''
    throw error
  })
  const pointer = text === undefined ? undefined : parsePointer(text)
  const { entity, schema } = pair
  if (pointer?.slot === slot && pointer.entity === entity && pointer.schema === schema) return []
  const message = `${record.id} is at ${located.key}, and not found by its id: ${key} does not say so`
  return [wrongIndex(located, message, () => putText(engine.blobs, key, pointerText({ ...pair, slot }), o))]
}

/** Returns the part after the name for each key of an entry; undefined for the entry itself. */
async function tailsOf(
  { blobs }: Engine,
  tense: Tense,
  scope: Scope,
  { entry }: LocatedRecord,
  o: OpOptions,
): Promise<readonly (string | undefined)[]> {
  const { schema } = entry.pair
  const base = `${indexPrefix(tense, scope)}${schema}/`
  const prefix = `${base}${sortPrefix(entry.validFrom, entry.uuid)}`
  const { items } = await listPage(blobs, { prefix, limit: 100 }, o)
  return items.flatMap(({ key }) => {
    const parsed = parseEntry(schema, key.slice(base.length))
    return parsed?.entry.name === entry.name ? [parsed.tail] : []
  })
}

/** Returns the end of the record; undefined if it is open. */
export const endOf = (
  engine: Engine,
  { record, entry }: LocatedRecord,
  o: OpOptions,
): Promise<End | undefined> =>
  entry.slot === undefined
    ? standaloneEnd(engine, entry.uuid, record, o)
    : slotEnd(engine, entry.pair, entry.slot, o)

function wrongIndex({ record }: LocatedRecord, message: string, mend?: () => Promise<void>): Fault {
  const problem = {
    kind: 'wrong-index',
    resource: record.id,
    message,
    repairable: mend !== undefined,
  } as const
  return { problem, ...(mend && { mend }) }
}
