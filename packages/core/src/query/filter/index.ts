/**
 * Filters of listings, as IVCAP's API takes them: comparisons of fields with texts in quotes, numbers, `true`, `false` and
 * `null` (absent), joined by `and`, `or`, `not` and brackets.
 *
 * `=  !=  <  <=  >  >=` may be written `eq ne lt le gt ge`, and `!=` also `<>`. `~=` is SQL's LIKE where the text has a `%`, and asks
 * otherwise whether it is part of the value. Texts compare by code unit, times as times. As in SQL a comparison with what is
 * absent is unknown, also behind a `not`; a record is listed when its filter is true.
 *
 * @example name ~= 'Scott%' and not (size > 1000 or mime-type = 'image/jpeg')
 */
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import type { ServiceRecord } from '../../model/services.js'
import { artifactFields, aspectFields, serviceFields } from './fields.js'
import { parseFilter } from './parse.js'

/**
 * The test for `id name status size mime-type etag created-at last-modified-at policy account cache-of sha256`.
 *
 * @throws IvcapError `invalid-argument` that says at which character the filter is wrong, and what was expected
 */
export const artifactFilter = (filter: string): ((record: ArtifactRecord) => boolean) => {
  const test = parseFilter(filter, artifactFields)
  return (record) => test(record) === true
}

/**
 * The test for `id entity schema policy account asserter (created-by) retracter (retracted-by) replaces valid-from valid-to`, and for
 * members of the content: `content.tag.name`.
 *
 * @throws IvcapError `invalid-argument` that says at which character the filter is wrong, and what was expected
 */
export const aspectFilter = (filter: string): ((record: AspectRecord) => boolean) => {
  const test = parseFilter(filter, aspectFields)
  return (record) => test(record) === true
}

/**
 * The test for `id name description status policy account valid-from valid-to`.
 *
 * @throws IvcapError `invalid-argument` that says at which character the filter is wrong, and what was expected
 */
export const serviceFilter = (filter: string): ((record: ServiceRecord) => boolean) => {
  const test = parseFilter(filter, serviceFields)
  return (record) => test(record) === true
}
