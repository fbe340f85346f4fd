/**
 * Filters of listings in the language of IVCAP's API: comparisons of fields with quoted texts, numbers, `true`, `false` and `null`
 * (absent), joined by `and`, `or`, `not` and brackets.
 *
 * `=  !=  <  <=  >  >=` may be written `eq ne lt le gt ge`, and `!=` also `<>`. `~=` is SQL's LIKE if the text has a `%`; otherwise
 * it tests whether the value contains the text. `in ('a', 'b')` is true if the field equals any of the values. `contains 'a'` is
 * true of a list that has the value, and of a text that contains it. A list can be used with `contains` and `null` only. Texts
 * compare by code unit, times as times. As in SQL, a comparison with an absent value is unknown, also after `not`. A record is
 * listed if its filter is true.
 *
 * @example name ~= 'Scott%' and not (size > 1000 or mime-type = 'image/jpeg')
 */
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import type { ServiceRecord } from '../../model/services.js'
import { WorkBudget } from '../work.js'
import { artifactFields, aspectFields, type Fields, serviceFields } from './fields.js'
import { parseFilter } from './parse.js'

/**
 * Whether a record matches. Pauses after some 10 ms of computing, so that other work can run.
 *
 * @param budget the computing time of all records of one request together. @default a budget for this record alone
 * @throws IvcapError `invalid-argument` if the budget is used up; the reason of the budget's signal if that aborts
 */
export type RecordTest<R> = (record: R, budget?: WorkBudget) => Promise<boolean>

/**
 * A filter on `id name status size mime-type etag created-at last-modified-at policy account cache-of sha256`.
 *
 * @throws IvcapError `invalid-argument`, with the position of the error and what was expected there
 */
export const artifactFilter = (filter: string): RecordTest<ArtifactRecord> => test(filter, artifactFields)

/**
 * A filter on `id entity schema policy account asserter (created-by) retracter (retracted-by) replaces valid-from valid-to`, and on
 * members of the content: `content.tag.name`.
 *
 * @throws IvcapError `invalid-argument`, with the position of the error and what was expected there
 */
export const aspectFilter = (filter: string): RecordTest<AspectRecord> => test(filter, aspectFields)

/**
 * A filter on `id name description status policy account valid-from valid-to`.
 *
 * @throws IvcapError `invalid-argument`, with the position of the error and what was expected there
 */
export const serviceFilter = (filter: string): RecordTest<ServiceRecord> => test(filter, serviceFields)

function test<R>(filter: string, fields: Fields<R>): RecordTest<R> {
  const matches = parseFilter(filter, fields)
  return async (record, budget = new WorkBudget()) =>
    (await budget.run(matches(record, budget), 'filter')) === true
}
