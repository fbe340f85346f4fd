/** Content paths of listings: `@ivcap/sql-json-path` within the time that one request may compute. */
import { compile, SqlJsonPathError } from '@ivcap/sql-json-path'
import { IvcapError } from '../model/errors.js'
import type { JsonObject, JsonValue } from '../model/json.js'
import { WorkBudget } from './work.js'

const ARGUMENT = 'contentPath'

/**
 * Whether a path finds anything in a content: at once if that is quick, otherwise in slices, between which other work gets its turn.
 *
 * @param budget the computing time of the request. @default a budget for this content alone
 * @param extra members that the content has in addition; members of its own override them
 * @throws IvcapError `invalid-argument` when the budget is used up; the budget's signal's reason when that aborts. Throws at
 * once, or rejects after a pause: call it in an async function.
 */
export type ContentTest = (
  content: JsonValue,
  budget?: WorkBudget,
  extra?: JsonObject,
) => boolean | Promise<boolean>

/**
 * Compiles a content path once, for any number of contents. It selects what PostgreSQL's
 * `jsonb_path_exists(content, path, silent => true)` selects.
 *
 * @param text a path in PostgreSQL's SQL/JSON path language, e.g. `$.images[*] ? (@.size > 10000)`; at most 10,000 characters
 * @throws IvcapError `invalid-argument`, with the position, for what is no path; `unsupported` for variables, methods of
 * dates and times, and regular expressions that can't be matched in linear time
 */
export function compileContentPath(text: string): ContentTest {
  const path = attempt(() => compile(text))
  return (content, budget = new WorkBudget(), extra) => {
    budget.beginRecord()
    const outcome = attempt(() => path.existsWithin(budget, content, extra))
    return typeof outcome === 'boolean' ? outcome : budget.finish(outcome, ARGUMENT).catch(rethrow)
  }
}

function attempt<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    return rethrow(error)
  }
}

function rethrow(error: unknown): never {
  if (!(error instanceof SqlJsonPathError)) throw error
  const code = error.reason === 'unsupported' ? 'unsupported' : 'invalid-argument'
  throw new IvcapError(code, `${ARGUMENT}: ${error.message}`, { argument: ARGUMENT, cause: error })
}
