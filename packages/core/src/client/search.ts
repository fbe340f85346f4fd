import { IvcapError } from '../model/errors.js'
import type { JsonObject } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import type { OptionNames } from '../model/options.js'
import type { TimeInput } from '../model/time.js'
import { checkText } from './aspects/aspect-input.js'
import { parseAtTime } from './at-time.js'
import type { Context } from './context.js'
import { checkLimit } from './listing.js'
import { CALL_OPTIONS, type CallOptions, perform } from './operation.js'

export interface SearchOptions extends CallOptions {
  readonly atTime?: TimeInput | undefined
  /** Rows; default 10. */
  readonly limit?: number | undefined
}

export const SEARCH_OPTIONS: OptionNames<SearchOptions> = { atTime: true, limit: true, ...CALL_OPTIONS }

/** @throws IvcapError `unsupported` where the backend has no search */
export function search(context: Context, datalog: string, o: SearchOptions): Promise<readonly JsonObject[]> {
  const { search, artifacts } = context.backend
  return perform(context, 'search', o, async (op) => {
    const query = checkText(datalog, 'datalog')
    const limit = checkLimit(o.limit ?? 10)
    const atTime = parseAtTime(o.atTime)
    if (search !== undefined) return search(query, omitUndefined({ ...op, limit, atTime }))
    const message = `${artifacts.name} (${artifacts.location}) has no Datalog search: use listAspects, or a platform`
    throw new IvcapError('unsupported', message)
  })
}
