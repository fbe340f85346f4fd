/** Content paths of listings: `@ivcap/sql-json-path`, limited to the computing time of one request. */
import { compile, SqlJsonPathError } from '@ivcap/sql-json-path'
import { IvcapError } from '../model/errors.js'
import type { JsonObject, JsonValue } from '../model/json.js'
import { WorkBudget } from './work.js'

const ARGUMENT = 'contentPath'

/**
 * Whether a path matches anything in a content. Returns the result at once if that is quick. Otherwise computes in slices, with
 * pauses in which other work can run.
 *
 * @param budget the computing time of the request. @default a budget for this content alone
 * @param extra additional members of the content; the content's own members override them
 * @throws IvcapError `invalid-argument` if the budget is used up; the reason of the budget's signal if that aborts. It throws at
 * once or rejects after a pause, so callers must call it in an async function.
 */
export type ContentTest = (
  content: JsonValue,
  budget?: WorkBudget,
  extra?: JsonObject,
) => boolean | Promise<boolean>

/**
 * Compiles a content path once, for any number of contents. It selects the same contents as PostgreSQL's
 * `jsonb_path_exists(content, path, silent => true)`.
 *
 * @param text a path in PostgreSQL's SQL/JSON path language, e.g. `$.images[*] ? (@.size > 10000)`; at most 10,000 characters
 * @throws IvcapError `invalid-argument`, with the position, for an invalid path; `unsupported` for variables, methods of
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
