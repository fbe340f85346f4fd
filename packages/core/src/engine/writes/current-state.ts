/** Reads the state of an (entity, schema) before an update: records to replace, and entries that other writers did not move. */

import { isIvcapError } from '../../model/errors.js'
import { timestamp } from '../../model/time.js'
import { aspectUuid } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import { type Engine, leaveOut, orLeaveOut } from '../context.js'
import { byEntity, type Entry, entryOf, idOf } from '../index/entries.js'
import { type IndexEntry, listEntries } from '../index/pages.js'
import { type Pair, slotKey } from '../keys.js'
import { inParallel } from '../parallel.js'
import { newestSlot, readSlot, type Slot, slotEnd } from '../records/log.js'
import { readStandalone, standaloneEnd } from '../records/standalone.js'
import { type ClosedEntry, moveToHistory } from './history.js'

export interface CurrentState {
  /** The newest slot. */
  readonly head?: Slot
  /** Entries of the records in force: the newest slot, standalone records. */
  readonly replaced: readonly Entry[]
  /** Standalone records that are closed, but still in `cur/`. */
  readonly leftovers: readonly ClosedEntry[]
  /** Entries in `cur/` of slots that are not in force: closed slots, and hints of updates that lost. */
  readonly stale: readonly IndexEntry[]
}

const PAGE = 500

/** Sends two rounds of concurrent requests, if one page contains all entries and no standalone record has a mark. */
export async function readCurrentState(engine: Engine, pair: Pair, o: OpOptions): Promise<CurrentState> {
  const [listed, newest] = await Promise.all([listCurrent(engine, pair, o), newestSlot(engine, pair, o)])
  const entries = listed.filter(({ name }) => !engine.moving.has(name))
  const standalone = entries.filter(({ slot }) => slot === undefined)
  const [{ head, open }, states] = await Promise.all([
    readHead(engine, pair, newest, entries, o),
    inParallel(standalone, (entry) =>
      orLeaveOut(engine, idOf(entry), o, () => stateOfStandalone(engine, entry, o)),
    ),
  ])
  return {
    ...(head && { head }),
    replaced: [...(open ? [open] : []), ...states.flatMap((state) => state?.replaced ?? [])],
    leftovers: states.flatMap((state) => state?.leftover ?? []),
    stale: entries.filter(({ slot, uuid }) => isStale(head, slot, uuid) && uuid !== open?.uuid),
  }
}

/**
 * Returns the newest slot, and the entry of its record. A slot that cannot be read must not block updates forever: its key
 * contains its number, and its entry contains id and validFrom.
 */
async function readHead(
  engine: Engine,
  pair: Pair,
  newest: number | undefined,
  listed: readonly IndexEntry[],
  o: OpOptions,
): Promise<{ readonly head?: Slot; readonly open?: Entry }> {
  if (newest === undefined) return {}
  try {
    const head = await readSlot(engine, pair, newest, o)
    const open = head && headEntry(pair, head)
    return { ...(head && { head }), ...(open && { open }) }
  } catch (error) {
    if (!isIvcapError(error, 'integrity')) throw error
    const open = listed.find((entry) => entry.slot === newest)
    leaveOut(engine, slotKey(pair, newest), error.message, o, error)
    const ends = { validTo: open?.validFrom ?? timestamp(engine.clock()) }
    return { head: { slot: newest, ends }, ...(open && { open }) }
  }
}

async function listCurrent(engine: Engine, pair: Pair, o: OpOptions): Promise<readonly IndexEntry[]> {
  const part = { tense: 'cur', scope: byEntity(pair.entity), schema: pair.schema } as const
  const all: IndexEntry[] = []
  for (let after = ''; ; ) {
    const page = await listEntries(engine.blobs, part, after, PAGE, o)
    all.push(...page.entries)
    if (page.through === undefined) return all
    after = page.through
  }
}

/** True if the slot is not newer than the newest one, and the entry is not that of the newest record: then it is not in force. */
function isStale(head: Slot | undefined, slot: number | undefined, uuid: string): boolean {
  if (head === undefined || slot === undefined || slot > head.slot) return false
  return slot < head.slot || head.record === undefined || uuid !== aspectUuid(head.record.id)
}

function headEntry(pair: Pair, { slot, record }: Slot): Entry | undefined {
  if (record === undefined) return undefined
  const uuid = aspectUuid(record.id)
  return uuid === undefined ? undefined : entryOf(pair, uuid, record.validFrom, slot)
}

/** Only a committed record is replaced: its entries have all been written, so they can be moved. */
async function stateOfStandalone(
  engine: Engine,
  entry: IndexEntry,
  o: OpOptions,
): Promise<{ readonly replaced?: Entry; readonly leftover?: ClosedEntry }> {
  const record = await readStandalone(engine, entry.uuid, o)
  if (record === undefined) return {}
  const end = entry.marks.length > 0 ? await standaloneEnd(engine, entry.uuid, record, o) : undefined
  return end ? { leftover: { entry, end: end.validTo, marks: entry.marks } } : { replaced: entry }
}

/** Reads the ends of slots that are still in `cur/`, and moves their entries. Runs after the operation has returned. */
export async function moveStaleLater(
  engine: Engine,
  stale: readonly IndexEntry[],
  o: OpOptions,
): Promise<void> {
  if (stale.length === 0) return
  const op = afterFailure(undefined, o)
  await engine.background.start(async () => {
    const closed = await inParallel(stale, (entry) =>
      orLeaveOut(engine, idOf(entry), op, () => stateOfSlot(engine, entry, op)),
    )
    await moveToHistory(
      engine,
      closed.flatMap((entry) => entry ?? []),
      op,
    )
  })
}

async function stateOfSlot(engine: Engine, entry: IndexEntry, o: OpOptions): Promise<ClosedEntry> {
  const { pair, slot = 0, marks } = entry
  const [found, end] = await Promise.all([readSlot(engine, pair, slot, o), slotEnd(engine, pair, slot, o)])
  if (found?.record?.id !== idOf(entry)) return { entry, marks }
  return { entry, marks, ...(end && { end: end.validTo }) }
}
