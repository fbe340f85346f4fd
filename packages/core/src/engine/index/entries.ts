/**
 * Entries of the indexes. An entry is a hint: it says where a record should be, and only the record itself says that
 * it is there. `<inverted validFrom>-<inverted uuid>-<slot, or "a" for a standalone one>-<entity>` is its name, so that names
 * ascend as (validFrom, id) descend. Beside it
 * - in `cur/`, `<inverted validFrom>-<inverted uuid>!<slot or "a">-<entity>!<uuid>` is a mark: a writer is about to close the
 *   record, or has done so. It is written before the closing and deleted after the entry. It stands before the entry, so that a
 *   LIST that is not atomic never shows the entry of a closed record without its mark. (Earlier layouts had `<name>!<uuid>`.)
 * - in `past/`, `<name>!<time>` is the end of the record, or of a standalone one a later time than that: then there is a mark,
 *   `<name>!<time>.<uuid>`, of the writer that closed it earlier at the same time. What bears no mark ended when it says.
 */
import type { Timestamp } from '../../model/time.js'
import { aspectUrn, type Urn } from '../../model/urn.js'
import {
  invertTime,
  invertUuid,
  type Pair,
  slotDigits,
  timeDigits,
  timeOfDigits,
  timeOfInverted,
} from '../keys.js'

export interface Entry {
  readonly name: string
  readonly uuid: string
  readonly validFrom: Timestamp
  readonly pair: Pair
  /** Absent: an added one. */
  readonly slot?: number
}

/** Where a listing looks: one entity, or all of them by schema. */
export type Scope = `e/${string}/` | 's/'
export const BY_SCHEMA: Scope = 's/'
export const byEntity = (hashed: string): Scope => `e/${hashed}/`

export type Tense = 'cur' | 'past'

/** What follows a name, after all of it: a name with this behind it is past every key of that name. */
export const AFTER = '~'
/** Before all names, and behind the links between schemas (`!<schema>`) that an earlier layout had here. */
export const BEFORE_NAMES = '!~'
const MARK = '!'
/** Stands before the writer of a mark that has the form of an earlier layout. */
const EARLIER = '!'
const NAME = /^(\d{16})-([0-9a-f-]{36})([!-])(a|\d{10})-([0-9a-f]{40})(?:!(.*))?$/
const PAST_TAIL = /^(\d{16})(?:\.(.*))?$/

export function entryOf(pair: Pair, uuid: string, validFrom: Timestamp, slot?: number): Entry {
  const place = slot === undefined ? 'a' : slotDigits(slot)
  const name = `${sortPrefix(validFrom, uuid)}-${place}-${pair.entity}`
  return { name, uuid, validFrom, pair, ...(slot !== undefined && { slot }) }
}

/** What names of that record start with; listing after it and `AFTER` gives those that follow. */
export const sortPrefix = (validFrom: Timestamp, uuid: string): string =>
  `${invertTime(validFrom)}-${invertUuid(uuid)}`

/** The entry that a key below `cur/…/<schema>/` or `past/…/<schema>/` belongs to, and what it says of it beside its name. */
export function parseEntry(schema: string, keyName: string): { entry: Entry; tail?: string } | undefined {
  const [, time, uuid, separator, place, entity, tail] = NAME.exec(keyName) ?? []
  if (time === undefined || uuid === undefined || place === undefined || entity === undefined)
    return undefined
  const entry: Entry = {
    name: `${time}-${uuid}-${place}-${entity}`,
    uuid: invertUuid(uuid),
    validFrom: timeOfInverted(time),
    pair: { entity, schema },
    ...(place !== 'a' && { slot: Number(place) }),
  }
  if (tail === undefined) return { entry }
  const isEarlierMark = separator !== MARK && !PAST_TAIL.test(tail)
  return { entry, tail: isEarlierMark ? `${EARLIER}${tail}` : tail }
}

export const indexPrefix = (tense: Tense, scope: Scope): string => `${tense}/${scope}`

/** The keys of an entry in both indexes. */
export const currentKeys = (entry: Entry): readonly string[] => inBoth('cur', entry, '')
export const pastKeys = (entry: Entry, end: Timestamp): readonly string[] =>
  inBoth('past', entry, `${MARK}${timeDigits(end)}`)

/** The marks of the writer `by`, which closes an entry at `end`. A slot ends but once: it needs no mark of an earlier end in `past/`. */
export function markKeys(entry: Entry, by: string, end: Timestamp): readonly string[] {
  const current = currentMarks(entry, by)
  if (entry.slot !== undefined) return current
  return [...current, ...inBoth('past', entry, `${MARK}${timeDigits(end)}.${by.replace(EARLIER, '')}`)]
}

/** The marks of `by` in `cur/` alone: because of them, readers read the end of the record. */
export function currentMarks(entry: Entry, by: string): readonly string[] {
  if (by.startsWith(EARLIER)) return inBoth('cur', entry, by)
  const sort = sortPrefix(entry.validFrom, entry.uuid)
  const name = `${sort}${MARK}${entry.name.slice(sort.length + 1)}`
  return inBoth('cur', { ...entry, name }, `${MARK}${by}`)
}

/**
 * Marks of an entry of which an attempt to write it had no answer. The store may carry it out after the entry was deleted, so these
 * marks are never deleted.
 */
const LATE = 'late'
export const lateMarks = (entry: Entry): readonly string[] => currentMarks(entry, LATE)
export const isLateMark = (by: string): boolean => by === LATE

/** What the keys of an entry in one index start with: the entry itself, its marks, its ends. */
export const entryPrefix = (
  tense: Tense,
  scope: Scope,
  { pair, name }: Pick<Entry, 'pair' | 'name'>,
): string => `${indexPrefix(tense, scope)}${pair.schema}/${name}`

/** What a key says of an entry: the writer that marked it, or in `past/` an end. */
export function parseTail(tail: string | undefined): { readonly by?: string; readonly end?: Timestamp } {
  if (tail === undefined) return {}
  const [, digits, by = tail] = PAST_TAIL.exec(tail) ?? []
  return digits === tail ? { end: timeOfDigits(digits) } : { by }
}

export const idOf = (entry: Entry): Urn => aspectUrn(entry.uuid)

function inBoth(tense: Tense, { pair, name }: Entry, tail: string): readonly string[] {
  return [byEntity(pair.entity), BY_SCHEMA].map(
    (scope) => `${entryPrefix(tense, scope, { pair, name })}${tail}`,
  )
}
