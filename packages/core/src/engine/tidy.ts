/**
 * Moving closed records from `cur/` to `past/`. Each step may be done twice, by anybody, and a crash between any two
 * leaves what readers understand:
 *
 * | step | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. write `past/` | it in both places | now: the mark, and asks the record; as of a time: it once |
 * | 2. delete from `cur/` | marks: in `cur/` without an entry, in `past/` beside one | nothing of the former; the latter make it ask the record for its end |
 * | 3. delete the marks | nothing | |
 *
 * Marks go last: an entry without its mark would count as open. Marks named `late` are never deleted: the store may still carry
 * out an attempt to write the entry. Two writers may close an added record at the same time, each with a time of its own, of which
 * the earlier counts; if that one stops before its step 1, its mark in `past/` still shows its time.
 */
import type { Timestamp } from '../model/time.js'
import type { OpOptions } from '../ports.js'
import type { Engine } from './context.js'
import { currentKeys, type Entry, isLateMark, markKeys, pastKeys } from './index-keys.js'
import { deleteAll, putMarks } from './objects.js'

export interface Closed {
  readonly entry: Entry
  /** Absent: a hint that never became a record, and can't any more. */
  readonly end?: Timestamp
  /** The marks that are known to stand on it. */
  readonly marks: readonly string[]
}

export async function tidy({ blobs }: Engine, closed: readonly Closed[], o: OpOptions): Promise<void> {
  const past = closed.flatMap(({ entry, end }) => (end === undefined ? [] : pastKeys(entry, end)))
  const current = closed.flatMap(({ entry }) => currentKeys(entry))
  const marks = closed.flatMap(({ entry, end = entry.validFrom, marks }) =>
    marks.filter((by) => !isLateMark(by)).flatMap((by) => markKeys(entry, by, end)),
  )
  await putMarks(blobs, past, o)
  await deleteAll(blobs, current, o)
  await deleteAll(blobs, marks, o)
}
