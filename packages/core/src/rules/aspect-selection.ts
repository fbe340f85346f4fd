import { IvcapError } from '../model/errors.js'
import type { AspectRecord } from '../model/records.js'
import type { AspectQuery } from '../ports.js'
import { aspectFilter } from '../query/filter/index.js'

/**
 * What a query asks of a record beyond entity, schema and time; absent if nothing. The record has its content.
 *
 * @throws IvcapError `invalid-argument` when the filter or the content path is wrong
 */
export function aspectSelector({
  filter,
  contentPath,
}: Pick<AspectQuery, 'filter' | 'contentPath'>): ((record: AspectRecord) => boolean) | undefined {
  if (contentPath !== undefined) {
    const message = 'contentPath is not supported by this store yet: list without it'
    throw new IvcapError('unsupported', message, { argument: 'contentPath' })
  }
  return filter === undefined ? undefined : aspectFilter(filter)
}
