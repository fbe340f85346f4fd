/**
 * Entries of the indexes. An entry is a hint: it says where a record should be; only the record itself proves that it exists.
 * Its name is `<inverted validFrom>-<inverted uuid>-<slot, or "a" for a standalone record>-<entity>`, so that ascending names
 * are in descending order of (validFrom, id). Further keys beside an entry:
 * - In `cur/`, `<inverted validFrom>-<inverted uuid>!<slot or "a">-<entity>!<uuid>` is a mark: a writer is about to close the
 *   record, or has closed it. The mark is written before the closing and deleted after the entry. It sorts before the entry, so
 *   that a LIST that is not atomic never shows the entry of a closed record without its mark. (Earlier layouts: `<name>!<uuid>`.)
 * - In `past/`, `<name>!<time>` is the end of the record. If two writers close a standalone record concurrently, this time may
 *   be later than the end: then there is a mark `<name>!<time>.<uuid>` of the writer with the earlier time. An end without a
 *   mark is exact.
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
  /** Absent for an added record. */
  readonly slot?: number
}

/** The part of an index that a listing reads: one entity, or all entities by schema. */
export type Scope = `e/${string}/` | 's/'
export const BY_SCHEMA: Scope = 's/'
export const byEntity = (hashed: string): Scope => `e/${hashed}/`

export type Tense = 'cur' | 'past'

/** Suffix of a name that sorts after all keys that start with that name. */
export const AFTER = '~'
/** Sorts before all names, and after the links between schemas (`!<schema>`) of an earlier layout. */
export const BEFORE_NAMES = '!~'
const MARK = '!'
/** Prefix of the writer of a mark in the form of an earlier layout. */
const EARLIER = '!'
const NAME = /^(\d{16})-([0-9a-f-]{36})([!-])(a|\d{10})-([0-9a-f]{40})(?:!(.*))?$/
const PAST_TAIL = /^(\d{16})(?:\.(.*))?$/

export function entryOf(pair: Pair, uuid: string, validFrom: Timestamp, slot?: number): Entry {
  const place = slot === undefined ? 'a' : slotDigits(slot)
  const name = `${sortPrefix(validFrom, uuid)}-${place}-${pair.entity}`
  return { name, uuid, validFrom, pair, ...(slot !== undefined && { slot }) }
}

/** The beginning of the names of a record. A listing after it and `AFTER` returns the names that follow. */
export const sortPrefix = (validFrom: Timestamp, uuid: string): string =>
  `${invertTime(validFrom)}-${invertUuid(uuid)}`

/** Returns the entry of a key below `cur/…/<schema>/` or `past/…/<schema>/`, and the part of the key after its name. */
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

/** The marks of the writer `by`, which closes an entry at `end`. A slot has only one end, so it needs no mark in `past/`. */
export function markKeys(entry: Entry, by: string, end: Timestamp): readonly string[] {
  const current = currentMarks(entry, by)
  if (entry.slot !== undefined) return current
  return [...current, ...inBoth('past', entry, `${MARK}${timeDigits(end)}.${by.replace(EARLIER, '')}`)]
}

/** The marks of `by` in `cur/` only. They make readers read the end of the record. */
export function currentMarks(entry: Entry, by: string): readonly string[] {
  if (by.startsWith(EARLIER)) return inBoth('cur', entry, by)
  const sort = sortPrefix(entry.validFrom, entry.uuid)
  const name = `${sort}${MARK}${entry.name.slice(sort.length + 1)}`
  return inBoth('cur', { ...entry, name }, `${MARK}${by}`)
}

/**
 * Writer of the marks of an entry if an attempt to write the entry got no response. The store may still carry out the attempt
 * after the entry was deleted, so these marks are never deleted.
 */
const LATE = 'late'
export const lateMarks = (entry: Entry): readonly string[] => currentMarks(entry, LATE)
export const isLateMark = (by: string): boolean => by === LATE

/** The key of an entry in one index. The keys of its ends, and of its marks in `past/`, start with it. */
export const entryPrefix = (
  tense: Tense,
  scope: Scope,
  { pair, name }: Pick<Entry, 'pair' | 'name'>,
): string => `${indexPrefix(tense, scope)}${pair.schema}/${name}`

/** Returns the information in a key after the entry's name: the writer of a mark, or an end in `past/`. */
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
