/**
 * Entries of the indexes. An entry is a hint: it says where a record should be, and only the record itself says that
 * it is there. `<inverted validFrom>-<inverted uuid>-<slot, or "a" for an added one>-<entity>` is its name, so that names
 * ascend as (validFrom, id) descend. Behind the name
 * - in `cur/`, `!<uuid>` is a mark: somebody is about to close the record, or has done so. It is written before the
 *   closing, so that what bears no mark is not closed;
 * - in `past/`, `!<time>` is the end of the record, or of an added one a later time than that: then there is a mark,
 *   `!<time>.<uuid>`, of who closed it earlier at the same time. What bears no mark ended when it says.
 */
import type { Timestamp } from '../model/time.js'
import { aspectUrn, type Urn } from '../model/urn.js'
import {
  invertTime,
  invertUuid,
  type Pair,
  slotDigits,
  timeDigits,
  timeOfDigits,
  timeOfInverted,
} from './keys.js'

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
/** Behind the links of a schema, and before all names. */
export const BEFORE = '!~'
const MARK = '!'
const NAME = /^(\d{16})-([0-9a-f-]{36})-(a|\d{10})-([0-9a-f]{40})(?:!(.*))?$/

export function entryOf(pair: Pair, uuid: string, validFrom: Timestamp, slot?: number): Entry {
  const place = slot === undefined ? 'a' : slotDigits(slot)
  const name = `${sortPrefix(validFrom, uuid)}-${place}-${pair.entity}`
  return { name, uuid, validFrom, pair, ...(slot !== undefined && { slot }) }
}

/** What names of that record start with; listing after it and `AFTER` gives those that follow. */
export const sortPrefix = (validFrom: Timestamp, uuid: string): string =>
  `${invertTime(validFrom)}-${invertUuid(uuid)}`

/** The link from a schema to a later one. */
export const linkKey = (schema: string, later: string): string =>
  `${indexPrefix('cur', BY_SCHEMA)}${schema}/${MARK}${later}`

/** The schema that a key below `cur/s/<schema>/` links to. */
export const parseLink = (keyName: string): string | undefined =>
  keyName.startsWith(MARK) ? keyName.slice(MARK.length) : undefined

/** The entry that a key below `cur/…/<schema>/` or `past/…/<schema>/` belongs to, and what stands behind its name. */
export function parseEntry(schema: string, keyName: string): { entry: Entry; tail?: string } | undefined {
  const m = NAME.exec(keyName)
  const [, time, uuid, place, entity, tail] = m ?? []
  if (time === undefined || uuid === undefined || place === undefined || entity === undefined)
    return undefined
  const entry: Entry = {
    name: tail === undefined ? keyName : keyName.slice(0, keyName.indexOf(MARK)),
    uuid: invertUuid(uuid),
    validFrom: timeOfInverted(time),
    pair: { entity, schema },
    ...(place !== 'a' && { slot: Number(place) }),
  }
  return { entry, ...(tail !== undefined && { tail }) }
}

export const indexPrefix = (tense: Tense, scope: Scope): string => `${tense}/${scope}`

/** The keys of an entry in both indexes. */
export const currentKeys = (entry: Entry): readonly string[] => inBoth('cur', entry, '')
export const pastKeys = (entry: Entry, end: Timestamp): readonly string[] =>
  inBoth('past', entry, `${MARK}${timeDigits(end)}`)

/** The marks of `by`, who closes an entry at `end`. A slot ends but once: there is no earlier end to tell of in `past/`. */
export function markKeys(entry: Entry, by: string, end: Timestamp): readonly string[] {
  const current = inBoth('cur', entry, `${MARK}${by}`)
  if (entry.slot !== undefined) return current
  return [...current, ...inBoth('past', entry, `${MARK}${timeDigits(end)}.${by}`)]
}

/** The marks of `by` in `cur/` alone: they make readers ask the record itself whether it has ended. */
export const currentMarks = (entry: Entry, by: string): readonly string[] =>
  inBoth('cur', entry, `${MARK}${by}`)

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

/** What stands behind a name: who marked it, or in `past/` an end. */
export function parseTail(tail: string | undefined): { readonly by?: string; readonly end?: Timestamp } {
  if (tail === undefined) return {}
  const [, digits, by = tail] = /^(\d{16})(?:\.(.*))?$/.exec(tail) ?? []
  return digits === tail ? { end: timeOfDigits(digits) } : { by }
}

export const idOf = (entry: Entry): Urn => aspectUrn(entry.uuid)

function inBoth(tense: Tense, { pair, name }: Entry, tail: string): readonly string[] {
  return [byEntity(pair.entity), BY_SCHEMA].map(
    (scope) => `${entryPrefix(tense, scope, { pair, name })}${tail}`,
  )
}
