import type { JsonObject, JsonValue } from '../../model/json.js'
import { WorkBudget } from '../work.js'
import { finds } from './evaluator.js'
import { parse } from './parser.js'

/**
 * Whether a path finds anything in a content. It pauses after some 10 ms of computing, so that other work gets its turn.
 *
 * @param budget what the contents of one request may take together. @default one for this content alone
 * @param extra members that the content has where it has none of that name
 * @throws IvcapError `invalid-argument` when the budget is used up; the budget's signal's reason when that aborts
 */
export type ContentTest = (content: JsonValue, budget?: WorkBudget, extra?: JsonObject) => Promise<boolean>

const NOTHING = {}

/**
 * What a content path selects: whether it finds anything in a content, as PostgreSQL's
 * `jsonb_path_exists(content, path, silent => true)` says. It is parsed once, for any number of contents.
 *
 * @param text a path in PostgreSQL's SQL/JSON path language, e.g. `$.images[*] ? (@.size > 10000)`; at most 10,000 characters
 * @throws IvcapError `invalid-argument`, with the position, for what is no path; `unsupported` for variables, methods
 * of dates and times, and what regular expressions can't do in linear time
 */
export function compileContentPath(text: string): ContentTest {
  const path = parse(text)
  return async (content, budget = new WorkBudget(), extra = NOTHING) =>
    (await budget.run(finds(path, content, extra, budget), 'contentPath')) === true
}
