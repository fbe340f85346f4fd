/** Whether the indexes lead to a record, and tell of its end what the record itself tells. */

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
  /** What is wrong, and was not mended. */
  readonly problems: readonly Problem[]
  readonly mended: readonly Problem[]
}

interface Fault {
  readonly problem: Problem
  readonly mend?: () => Promise<void>
}

/** A record that is being closed looks inconsistent for moments: only what is seen each time counts. */
const LOOKS = 3
/** Mending one fault may show the next, e.g. a lost closing and then the entries of what has ended. */
const MENDS = 6

/** Compares the entries of a record, and the pointer to it, with the record; rebuilds them if `mend`. */
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
  // cur/ before past/: a record that is moved meanwhile is met at least once
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
  // facts after entries: what is open now was open when its entries were read
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
    // past/ is written after a closing: that one is lost
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
 * The mark comes first and makes readers ask the record: should somebody close the record and clear its entries away
 * meanwhile, the entry written here does not make it look open.
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

/** What each key of an entry says beside its name; undefined for the entry itself. */
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

/** How the record ended, if it did. */
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
