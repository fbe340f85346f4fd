import type { AspectRecord } from '../model/records.js'
import type { AspectQuery, OpOptions } from '../ports/index.js'
import { compileContentPath } from '../query/content-path.js'
import { aspectFilter } from '../query/filter/index.js'
import { WorkBudget } from '../query/work.js'

/** Whether a query selects a record. */
export type AspectTest = (record: AspectRecord) => Promise<boolean>

/**
 * What a query asks of a record beyond entity, schema and time; absent if nothing. The record has its content. All records that
 * one selector looks at share one budget of computing time: make one for each call of `list`.
 *
 * @throws IvcapError `invalid-argument` when the filter or the content path is wrong, `unsupported` for what content paths
 * can't do here
 */
export function aspectSelector(
  { filter, contentPath }: Pick<AspectQuery, 'filter' | 'contentPath'>,
  { signal }: Pick<OpOptions, 'signal'> = {},
): AspectTest | undefined {
  const filtered = filter === undefined ? undefined : aspectFilter(filter)
  const finds = contentPath === undefined ? undefined : compileContentPath(contentPath)
  if (filtered === undefined && finds === undefined) return undefined
  const budget = new WorkBudget({ signal })
  return async (record) => {
    if (filtered !== undefined && !(await filtered(record, budget))) return false
    if (finds === undefined) return true
    // a path sees the content as a deployment keeps it: with its schema and its entity
    const { entity, schema, content = {} } = record
    return await finds(content, budget, { $schema: schema, $entity: entity })
  }
}
