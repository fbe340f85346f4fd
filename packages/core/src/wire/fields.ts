import * as v from 'valibot'
import { parseTimestamp } from '../model/time.js'
import { isUrn, type Urn } from '../model/urn.js'

// Members of the records of IVCAP's API. Only the id of a record is guaranteed. A member that is absent, null or of another type
// counts as unknown, unless a wrong assumption would do harm.

export const Text = v.fallback(v.optional(v.string()), undefined)
/** An empty text counts as unknown. */
export const NonEmptyText = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined)
export const UrnText = v.custom<Urn>(isUrn, 'not a URN')
export const OptionalUrn = v.fallback(v.optional(UrnText), undefined)
export const Time = v.pipe(
  Text,
  v.transform((text) => (text === undefined ? undefined : parseTimestamp(text))),
)
/** Fails for an invalid time, because it determines whether a record is in force. */
export const StrictTime = v.pipe(
  v.nullish(v.string()),
  v.transform((text) => text || undefined),
  v.check((text) => text === undefined || parseTimestamp(text) !== undefined, 'not a time'),
  v.transform((text) => (text === undefined ? undefined : parseTimestamp(text))),
)
/** Bytes; null and -1 mean unknown. */
export const Size = v.pipe(
  v.nullish(
    v.union(
      [v.literal(-1), v.pipe(v.number(), v.safeInteger(), v.minValue(0))],
      'not a number of bytes from 0 to 2^53 - 1',
    ),
  ),
  v.transform((size) => (size === null || size === -1 ? undefined : size)),
)
