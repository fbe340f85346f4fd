import { PGlite } from '@electric-sql/pglite'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.js'
import { compileContentPath } from '../src/query/content-path.js'
import { pathOfWhere } from '../src/query/where/path.js'
import { conditions, contents, isTrueOf } from './support/where-model.js'

/** Another seed, and many times as much, by hand. */
const seed = Number(process.env['IVCAP_TEST_SEED'] ?? 1)
const scale = Number(process.env['IVCAP_TEST_SCALE'] ?? 1)
const BATCH = 2000

/** Whether PostgreSQL finds something by each path in its content. */
async function inPostgres(
  pairs: readonly { path: string; content: JsonObject }[],
): Promise<readonly boolean[]> {
  const db = await PGlite.create()
  const answers: boolean[] = []
  for (let i = 0; i < pairs.length; i += BATCH) {
    const batch = pairs.slice(i, i + BATCH)
    const { rows } = await db.query<{ answer: boolean }>(
      `select coalesce(jsonb_path_exists(content, path::jsonpath, silent => true), false) as answer
       from rows from (jsonb_array_elements_text($1), jsonb_array_elements($2)) as pair(path, content)`,
      [JSON.stringify(batch.map(({ path }) => path)), JSON.stringify(batch.map(({ content }) => content))],
    )
    answers.push(...rows.map(({ answer }) => answer))
  }
  await db.close()
  return answers
}

it('conditions mean what they say, here and in PostgreSQL', { timeout: 240_000 * scale }, async () => {
  const pairs = fc
    .sample(fc.record({ where: conditions, content: contents }), { seed, numRuns: 20_000 * scale })
    .map(({ where, content }) => ({ where, content, path: pathOfWhere(where) ?? '$' }))
  const theirs = await inPostgres(pairs)
  const differences: object[] = []
  let found = 0
  for (const [i, { where, content, path }] of pairs.entries()) {
    const meant = isTrueOf(where, content)
    const ours = await compileContentPath(path)(content)
    if (meant) found++
    if (ours !== meant || theirs[i] !== meant)
      differences.push({ where, content, path, meant, ours, theirs: theirs[i] })
  }
  const shortest = differences.sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length).slice(0, 5)
  expect(shortest).toEqual([])
  expect(found).toBeGreaterThan(pairs.length / 10)
})
