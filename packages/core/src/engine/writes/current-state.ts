/** What an update finds for its (entity, schema): what it will replace, and what others left to be cleared away. */

import { isIvcapError } from '../../model/errors.js'
import { timestamp } from '../../model/time.js'
import { aspectUuid } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import { type Engine, leaveOut, orLeaveOut } from '../context.js'
import { byEntity, type Entry, entryOf, idOf } from '../index/entries.js'
import { type Listed, listEntries } from '../index/pages.js'
import { type Pair, slotKey } from '../keys.js'
import { inParallel } from '../parallel.js'
import { readAdded } from '../queries/resolve.js'
import { newestSlot, readHead, readSlot, type Slot, slotEnd } from '../records/log.js'
import { addedEnd } from '../records/standalone.js'
import type { Closed } from './history.js'

export interface Seen {
  /** The newest slot. */
  readonly head?: Slot
  /** In force: the newest slot, added records. */
  readonly replaced: readonly Entry[]
  /** Closed, but still in `cur/`; and hints of updates that lost. */
  readonly leftovers: readonly Closed[]
}

const PAGE = 500

export async function look(engine: Engine, pair: Pair, o: OpOptions): Promise<Seen> {
  const listed = await listCurrent(engine, pair, o)
  const { head, open } = await headOf(engine, pair, listed, o)
  const added = listed.filter(({ slot }) => slot === undefined)
  const stale = listed.filter(({ slot, uuid }) => isStale(head, slot, uuid) && uuid !== open?.uuid)
  const states = await inParallel(
    added,
    async (entry) => (await orLeaveOut(engine, idOf(entry), o, () => stateOfAdded(engine, entry, o))) ?? {},
  )
  const old = await inParallel(stale, (entry) =>
    orLeaveOut(engine, idOf(entry), o, () => stateOfSlot(engine, entry, o)),
  )
  return {
    ...(head && { head }),
    replaced: [...(open ? [open] : []), ...states.flatMap(({ replaced }) => replaced ?? [])],
    leftovers: [
      ...states.flatMap(({ leftover }) => leftover ?? []),
      ...old.flatMap((closed) => closed ?? []),
    ],
  }
}

/**
 * The newest slot, and the entry of its record. A slot that cannot be read must not block updates for ever: its number is in
 * its key, and its entry tells id and validFrom.
 */
async function headOf(
  engine: Engine,
  pair: Pair,
  listed: readonly Listed[],
  o: OpOptions,
): Promise<{ readonly head?: Slot; readonly open?: Entry }> {
  try {
    const head = (await headShown(engine, pair, listed, o)) ?? (await readHead(engine, pair, o))
    const open = head && headEntry(pair, head)
    return { ...(head && { head }), ...(open && { open }) }
  } catch (error) {
    if (!isIvcapError(error, 'integrity')) throw error
    const slot = await newestSlot(engine, pair, o)
    if (slot === undefined) throw error
    const open = listed.find((entry) => entry.slot === slot)
    leaveOut(engine, slotKey(pair, slot), error.message, o, error)
    const ends = { validTo: open?.validFrom ?? timestamp(engine.clock()) }
    return { head: { slot, ends }, ...(open && { open }) }
  }
}

async function listCurrent(engine: Engine, pair: Pair, o: OpOptions): Promise<readonly Listed[]> {
  const place = { tense: 'cur', scope: byEntity(pair.entity), schema: pair.schema } as const
  const all: Listed[] = []
  for (let after = ''; ; ) {
    const page = await listEntries(engine.blobs, place, after, PAGE, o)
    all.push(...page.entries)
    if (page.through === undefined) return all
    after = page.through
  }
}

/**
 * The newest slot, if the index shows it: what bears no mark is in force, and then it is the newest. Should that be over by
 * now, the next slot is taken, and whoever goes by this is refused there.
 */
async function headShown(
  engine: Engine,
  pair: Pair,
  listed: readonly Listed[],
  o: OpOptions,
): Promise<Slot | undefined> {
  const [shown] = listed
    .filter(({ slot, marks }) => slot !== undefined && marks.length === 0)
    .sort((a, b) => (b.slot ?? 0) - (a.slot ?? 0))
  if (shown?.slot === undefined) return undefined
  const slot = await readSlot(engine, pair, shown.slot, o)
  return slot?.record?.id === idOf(shown) ? slot : undefined
}

/** Slots up to the newest are decided: what the index says of them is over, but for the newest record. */
function isStale(head: Slot | undefined, slot: number | undefined, uuid: string): boolean {
  if (head === undefined || slot === undefined || slot > head.slot) return false
  return slot < head.slot || head.record === undefined || uuid !== aspectUuid(head.record.id)
}

function headEntry(pair: Pair, { slot, record }: Slot): Entry | undefined {
  if (record === undefined) return undefined
  const uuid = aspectUuid(record.id)
  return uuid === undefined ? undefined : entryOf(pair, uuid, record.validFrom, slot)
}

/** Only what is committed is replaced: then its entries are all written, and can be moved away. */
async function stateOfAdded(
  engine: Engine,
  entry: Listed,
  o: OpOptions,
): Promise<{ replaced?: Entry; leftover?: Closed }> {
  const record = await readAdded(engine, entry.uuid, o)
  if (record === undefined) return {}
  const end = entry.marks.length > 0 ? await addedEnd(engine, entry.uuid, record, o) : undefined
  return end ? { leftover: { entry, end: end.validTo, marks: entry.marks } } : { replaced: entry }
}

async function stateOfSlot(engine: Engine, entry: Listed, o: OpOptions): Promise<Closed> {
  const { pair, slot = 0, marks } = entry
  const found = await readSlot(engine, pair, slot, o)
  if (found?.record?.id !== idOf(entry)) return { entry, marks }
  const end = await slotEnd(engine, pair, slot, o)
  return { entry, marks, ...(end && { end: end.validTo }) }
}
