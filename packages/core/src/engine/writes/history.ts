/**
 * Moving closed records from `cur/` to `past/`. Each step may be done twice, by any writer, and a crash between any two
 * leaves what readers understand:
 *
 * | step | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. write `past/` | it in both places | now: because of the mark, it reads the end; as of a time: it once |
 * | 2. delete from `cur/` | marks: in `cur/` without an entry, in `past/` beside one | nothing of the former; the latter make it read the end of the record |
 * | 3. delete the marks | nothing | |
 *
 * Marks go last: an entry without its mark would count as open. Marks named `late` are never deleted: the store may still carry
 * out an attempt to write the entry. Two writers may close an added record at the same time, each with a time of its own, of which
 * the earlier counts; if that one stops before its step 1, its mark in `past/` still shows its time.
 */

import type { Timestamp } from '../../model/time.js'
import type { OpOptions } from '../../ports/index.js'
import { afterFailure } from '../../retry/retry.js'
import type { Engine } from '../context.js'
import { currentKeys, type Entry, isLateMark, markKeys, pastKeys } from '../index/entries.js'
import { deleteAll, putMarks } from '../records/blobs.js'

export interface ClosedEntry {
  readonly entry: Entry
  /** Absent: a hint that never became a record, and can't any more. */
  readonly end?: Timestamp
  /** The marks that are known to stand on it. */
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

/**
 * Moves entries after the answer. Until that is done, this process does not take them for leftovers of others.
 */
export async function moveLater(engine: Engine, closed: readonly ClosedEntry[], o: OpOptions): Promise<void> {
  if (closed.length === 0) return
  const names = closed.map(({ entry }) => entry.name)
  for (const name of names) engine.moving.add(name)
  await engine.background.start(async () => {
    try {
      // the caller's signal ends with the answer
      await moveToHistory(engine, closed, afterFailure(undefined, o))
    } finally {
      for (const name of names) engine.moving.delete(name)
    }
  })
}
