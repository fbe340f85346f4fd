import type { JsonValue } from '../../model/json.js'
import { finds } from './evaluator.js'
import { parse } from './parser.js'

/**
 * What a content path selects: whether it finds anything in a content, as PostgreSQL's
 * `jsonb_path_exists(content, path, silent => true)` says. It is parsed once, for any number of contents.
 *
 * @param text a path in PostgreSQL's SQL/JSON path language, e.g. `$.images[*] ? (@.size > 10000)`; at most 10,000 characters
 * @throws IvcapError `invalid-argument`, with the position, for what is no path; `unsupported` for variables, methods
 * of dates and times, and what regular expressions can't do in linear time. The test itself throws `invalid-argument`
 * when a content takes too many steps.
 */
export function compileContentPath(text: string): (content: JsonValue) => boolean {
  const path = parse(text)
  return (content) => finds(path, content)
}
