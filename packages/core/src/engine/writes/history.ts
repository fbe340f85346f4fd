/**
 * Moves closed records from `cur/` to `past/`. Any writer may repeat each step. A crash between two steps leaves a state that
 * readers handle:
 *
 * | step | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. write `past/` | the entry in both indexes | now: reads the end, because of the mark; as of a time: finds the record once |
 * | 2. delete from `cur/` | marks: in `cur/` without an entry, in `past/` beside one | ignores the marks in `cur/`; reads the end because of those in `past/` |
 * | 3. delete the marks | nothing | |
 *
 * Marks must be deleted last: an entry without its mark would count as open. Marks named `late` are never deleted: the store may
 * still carry out an attempt to write the entry. Two writers may close an added record concurrently, each with its own time. The
 * earlier time counts. If the writer with the earlier time stops before its step 1, its mark in `past/` still shows its time.
 */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import type { Engine } from '../context.js'
import { currentKeys, type Entry, isLateMark, markKeys, pastKeys } from '../index/entries.js'
import { deleteAll, putMarks } from '../records/blobs.js'

export interface ClosedEntry {
  readonly entry: Entry
  /** Absent for a hint whose record was not committed, and can no longer be committed. */
  readonly end?: Timestamp
  /** The writers of the known marks of the entry. */
  readonly marks: readonly string[]
}

export async function moveToHistory(
  { blobs }: Engine,
  closed: readonly ClosedEntry[],
  o: OpOptions,
): Promise<void> {
  const past = closed.flatMap(({ entry, end }) => (end === undefined ? [] : pastKeys(entry, end)))
  const current = closed.flatMap(({ entry }) => currentKeys(entry))
  const marks = closed.flatMap(({ entry, end = entry.validFrom, marks }) =>
    marks.filter((by) => !isLateMark(by)).flatMap((by) => markKeys(entry, by, end)),
  )
  await putMarks(blobs, past, o)
  await deleteAll(blobs, current, o)
  await deleteAll(blobs, marks, o)
}

/** Moves entries after the operation has returned. Until then, this process does not treat them as leftovers of other writers. */
export async function moveLater(engine: Engine, closed: readonly ClosedEntry[], o: OpOptions): Promise<void> {
  if (closed.length === 0) return
  const names = closed.map(({ entry }) => entry.name)
  for (const name of names) engine.moving.add(name)
  await engine.background.start(async () => {
    try {
      // the caller's signal must not abort work that runs after the operation has returned
      await moveToHistory(engine, closed, afterFailure(undefined, o))
    } finally {
      for (const name of names) engine.moving.delete(name)
    }
  })
}
