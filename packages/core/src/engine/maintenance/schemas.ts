import type { Problem } from '../../model/problems.js'
import type { OpOptions } from '../../ports/index.js'
import type { Engine } from '../context.js'
import { BY_SCHEMA, indexPrefix, linkKey, parseLink } from '../index/entries.js'
import { LINKED, schemaKey } from '../keys.js'
import { putMarks } from '../records/blobs.js'
import { listPage } from '../records/list-page.js'
import { follows, knownSchemas } from '../schemas.js'

/**
 * Whether the schemas that have records are found by those who list without one: each is announced and linked, and leads to the
 * next. Missing keys are written if `mend`.
 */
export async function examineSchemas(
  engine: Engine,
  schemas: ReadonlySet<string>,
  mend: boolean,
  o: OpOptions,
): Promise<readonly Problem[]> {
  const known = await knownSchemas(engine.blobs, o)
  const sorted = [...schemas].sort((a, b) => (follows(a, b) ? 1 : -1))
  const problems: Problem[] = []
  for (const [i, schema] of sorted.entries()) {
    const next = sorted[i + 1]
    const missing = known.get(schema) === true ? [] : [schemaKey(schema), `${schemaKey(schema)}${LINKED}`]
    if (next !== undefined && !(await leadsTo(engine, schema, next, o))) missing.push(linkKey(schema, next))
    if (missing.length === 0) continue
    problems.push({
      kind: 'wrong-index',
      resource: schemaKey(schema),
      message: `The schema ${schema} has records, and is not found by all listings: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`,
      repairable: true,
    })
    if (mend) await putMarks(engine.blobs, missing, o)
  }
  return problems
}

/** Whether it is linked to the next one, or to one between them. */
async function leadsTo({ blobs }: Engine, schema: string, next: string, o: OpOptions): Promise<boolean> {
  const base = `${indexPrefix('cur', BY_SCHEMA)}${schema}/`
  const prefix = linkKey(schema, '')
  for (let startAfter: string | undefined; ; ) {
    const { items, more } = await listPage(
      blobs,
      { prefix, limit: 200, ...(startAfter && { startAfter }) },
      o,
    )
    const links = items.flatMap(({ key }) => parseLink(key.slice(base.length)) ?? [])
    if (links.some((link) => link === next || (follows(link, schema) && follows(next, link)))) return true
    if (!more) return false
    startAfter = items.at(-1)?.key
  }
}
