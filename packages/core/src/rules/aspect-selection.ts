import type { AspectRecord } from '../model/records.js'
import type { AspectQuery, OpOptions } from '../ports/index.js'
import { compileContentPath } from '../query/content-path.js'
import { aspectFilter } from '../query/filter/index.js'
import { WorkBudget } from '../query/work.js'

/** Whether a query selects a record. */
export type AspectTest = (record: AspectRecord) => Promise<boolean>

/**
 * Tests a record for all conditions of a query except entity, schema and time. Returns undefined if there are no other conditions.
 * The record must have its content. All records that are tested by one selector share one budget of computing time, so each call
 * of `list` must create its own selector.
 *
 * @throws IvcapError `invalid-argument` if the filter or the content path is invalid, `unsupported` if the content path uses
 * unsupported features
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
    // the path applies to the content as deployments store it: with its schema and its entity
    const { entity, schema, content = {} } = record
    return await finds(content, budget, { $schema: schema, $entity: entity })
  }
}
