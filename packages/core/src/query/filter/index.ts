/**
 * Filters of listings, as IVCAP's API takes them: comparisons of fields with texts in quotes, numbers, `true`, `false` and
 * `null` (absent), joined by `and`, `or`, `not` and brackets.
 *
 * `=  !=  <  <=  >  >=` may be written `eq ne lt le gt ge`, and `!=` also `<>`. `~=` is SQL's LIKE where the text has a `%`, and asks
 * otherwise whether it is part of the value. `in ('a', 'b')` is true of any of the values; `contains 'a'` of a list that has the value, and
 * of a text of which it is a part. A list goes with `contains` and `null` only. Texts compare by code unit, times as times. As in SQL a comparison with what is
 * absent is unknown, also behind a `not`; a record is listed when its filter is true.
 *
 * @example name ~= 'Scott%' and not (size > 1000 or mime-type = 'image/jpeg')
 */
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import type { ServiceRecord } from '../../model/services.js'
import { WorkBudget } from '../work.js'
import { artifactFields, aspectFields, type Fields, serviceFields } from './fields.js'
import { parseFilter } from './parse.js'

/**
 * Whether a record is listed. It pauses after some 10 ms of computing, so that other work gets its turn.
 *
 * @param budget what the records of one request may take together. @default one for this record alone
 * @throws IvcapError `invalid-argument` when the budget is used up; the budget's signal's reason when that aborts
 */
export type RecordTest<R> = (record: R, budget?: WorkBudget) => Promise<boolean>

/**
 * The test for `id name status size mime-type etag created-at last-modified-at policy account cache-of sha256`.
 *
 * @throws IvcapError `invalid-argument` that says at which character the filter is wrong, and what was expected
 */
export const artifactFilter = (filter: string): RecordTest<ArtifactRecord> => test(filter, artifactFields)

/**
 * The test for `id entity schema policy account asserter (created-by) retracter (retracted-by) replaces valid-from valid-to`, and for
 * members of the content: `content.tag.name`.
 *
 * @throws IvcapError `invalid-argument` that says at which character the filter is wrong, and what was expected
 */
export const aspectFilter = (filter: string): RecordTest<AspectRecord> => test(filter, aspectFields)

/**
 * The test for `id name description status policy account valid-from valid-to`.
 *
 * @throws IvcapError `invalid-argument` that says at which character the filter is wrong, and what was expected
 */
export const serviceFilter = (filter: string): RecordTest<ServiceRecord> => test(filter, serviceFields)

function test<R>(filter: string, fields: Fields<R>): RecordTest<R> {
  const matches = parseFilter(filter, fields)
  return async (record, budget = new WorkBudget()) =>
    (await budget.run(matches(record, budget), 'filter')) === true
}
