import type { AspectRecord } from '../model/records.js'
import type { AspectQuery } from '../ports.js'
import { compileContentPath } from '../query/content-path/compile.js'
import { aspectFilter } from '../query/filter/index.js'

type Test = (record: AspectRecord) => boolean

/**
 * What a query asks of a record beyond entity, schema and time; absent if nothing. The record has its content.
 *
 * @throws IvcapError `invalid-argument` when the filter or the content path is wrong, `unsupported` for what content paths
 * can't do here
 */
export function aspectSelector({
  filter,
  contentPath,
}: Pick<AspectQuery, 'filter' | 'contentPath'>): Test | undefined {
  const filtered = filter === undefined ? undefined : aspectFilter(filter)
  const found = contentPath === undefined ? undefined : contentTest(contentPath)
  if (filtered === undefined || found === undefined) return filtered ?? found
  return (record) => filtered(record) && found(record)
}

/** A path sees the content as a deployment keeps it: with its schema and its entity. */
function contentTest(path: string): Test {
  const finds = compileContentPath(path)
  return ({ entity, schema, content }) => finds({ $schema: schema, $entity: entity, ...content })
}
