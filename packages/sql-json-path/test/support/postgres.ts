import { PGlite } from '@electric-sql/pglite'
import type { Pair } from './pairs.js'

const BATCH = 2000

/** What PostgreSQL itself says of paths. */
export interface Postgres {
  /** Whether each path finds something in its document, errors being suppressed. */
  exists(pairs: readonly Pair[]): Promise<readonly boolean[]>
  /** The first item that each path finds, as JSON; null where there is none. */
  first(pairs: readonly Pair[]): Promise<readonly (string | null)[]>
  /** Whether each text is a path; PostgreSQL's word on why not. */
  problems(paths: readonly string[]): Promise<readonly (string | null)[]>
  close(): Promise<void>
}

/** PostgreSQL in this process: it takes some seconds to start, and some hundred megabytes. */
export async function openPostgres(): Promise<Postgres> {
  const db = await PGlite.create()
  async function ask<T>(expression: string, rows: readonly (readonly [string, unknown])[]): Promise<T[]> {
    const answers: T[] = []
    for (let i = 0; i < rows.length; i += BATCH) {
      const batch = rows.slice(i, i + BATCH)
      const result = await db.query<{ answer: T }>(
        `select ${expression} as answer
         from rows from (jsonb_array_elements_text($1), jsonb_array_elements($2)) as pair(path, document)`,
        [JSON.stringify(batch.map(([path]) => path)), JSON.stringify(batch.map(([, document]) => document))],
      )
      answers.push(...result.rows.map(({ answer }) => answer))
    }
    return answers
  }
  return {
    exists: (pairs) =>
      ask(
        'coalesce(jsonb_path_exists(document, path::jsonpath, silent => true), false)',
        pairs.map(({ path, document }) => [path, document]),
      ),
    first: (pairs) =>
      ask(
        'jsonb_path_query_first(document, path::jsonpath, silent => true)::text',
        pairs.map(({ path, document }) => [path, document]),
      ),
    problems: (paths) =>
      ask(
        `(pg_input_error_info(path, 'jsonpath')).message`,
        paths.map((path) => [path, null]),
      ),
    close: () => db.close(),
  }
}
