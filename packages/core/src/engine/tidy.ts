/**
 * Moving closed records from `cur/` to `past/`. Each step may be done twice, by anybody, and a crash between any two
 * leaves what readers understand:
 *
 * | step | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. write `past/` | it in both places | now: the mark, and asks the record; as of a time: it once |
 * | 2. delete from `cur/` | marks without an entry | nothing of them |
 * | 3. delete the marks | nothing | |
 *
 * Marks go last: an entry without its mark would count as open.
 */
import type { Timestamp } from '../model/time.js'
import type { OpOptions } from '../ports.js'
import type { Engine } from './context.js'
import { currentKeys, type Entry, markKeys, pastKeys } from './index-keys.js'
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
  const marks = closed.flatMap(({ entry, marks }) => marks.flatMap((by) => markKeys(entry, by)))
  await putMarks(blobs, past, o)
  await deleteAll(blobs, current, o)
  await deleteAll(blobs, marks, o)
}
