/** Finds artifacts by their aspects. */
import { IvcapError } from '../../model/errors.js'
import { checkOptions, type OptionNames } from '../../model/options.js'
import type { TimeInput } from '../../model/time.js'
import { show } from '../../model/urn.js'
import type { Where } from '../../query/where/types.js'
import { aspectQuery } from '../aspects/aspect-input.js'
import type { AspectType } from '../aspects/aspect-type.js'
import type { Context } from '../context.js'
import { type Listing, listingOfPages, PAGE_SIZE } from '../listing.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'
import type { FoundArtifact, FoundQuery } from './found-artifacts.js'

/** A condition on an artifact: one of its aspects must have both the schema and the content. */
export interface AspectCondition {
  /** A schema, or a pattern in which `%` stands for any characters. */
  readonly schema?: string | undefined
  readonly where?: Where | undefined
}

export interface FindArtifactsOptions extends AspectCondition, CallOptions {
  /** A filter on the fields of the aspects, as in `listAspects`. */
  readonly filter?: string | undefined
  /**
   * Further conditions. An aspect of the artifact must meet each of them. A condition that more than 50 aspects meet costs one
   * request for each candidate, so `where` should be the most selective condition.
   */
  readonly having?: readonly AspectCondition[] | undefined
  /** Searches the aspects that were in force at this time. @default now */
  readonly atTime?: TimeInput | undefined
  /** Maximum number of artifacts; Infinity for all. @default 10 */
  readonly limit?: number | undefined
  /** Comma-separated list of fields of the aspects. @default valid_from */
  readonly orderBy?: string | undefined
  /** @default DESC */
  readonly orderDirection?: 'ASC' | 'DESC' | undefined
}

/** As `FindArtifactsOptions`, for aspects of one type: conditions are typed. */
export interface FindTypedOptions<T> extends Omit<FindArtifactsOptions, 'schema' | 'where'> {
  readonly type: AspectType<unknown, T>
  readonly where?: Where<T> | undefined
}

const FIND_OPTIONS: OptionNames<FindArtifactsOptions & { readonly type?: AspectType | undefined }> = {
  type: true,
  schema: true,
  where: true,
  filter: true,
  having: true,
  atTime: true,
  limit: true,
  orderBy: true,
  orderDirection: true,
  ...CALL_OPTIONS,
}

const CONDITION_OPTIONS: OptionNames<AspectCondition> = { schema: true, where: true }

export function findArtifacts(
  context: Context,
  o: FindArtifactsOptions & { readonly type?: AspectType | undefined },
): Listing<FoundArtifact> {
  const { having = [], type, ...checked } = checkOptions(o, FIND_OPTIONS, 'findArtifacts')
  const { limit, ...query } = aspectQuery({ ...checked, schema: type?.schema ?? checked.schema })
  const further = conditionsOf(having, checked.atTime)
  const pageSize = further.length > 0 ? PAGE_SIZE : Math.min(PAGE_SIZE, limit)
  return listingOfPages(context, 'findArtifacts', { ...checked, limit }, async function* (run) {
    // loaded when it is used, like everything that many pages of a browser do without
    const { foundArtifacts } = await import('./found-artifacts.js')
    yield* foundArtifacts(context, run, { query, further, pageSize })
  })
}

function conditionsOf(having: unknown, atTime: TimeInput | undefined): readonly FoundQuery[] {
  if (!Array.isArray(having)) {
    const message = `having must be a list of conditions, e.g. [{ schema, where }], not ${show(having)}`
    throw new IvcapError('invalid-argument', message, { argument: 'having' })
  }
  return having.map((condition: AspectCondition, i) => {
    const { limit: _, ...query } = aspectQuery({
      ...checkOptions(condition, CONDITION_OPTIONS, `findArtifacts: having[${i}]`),
      atTime,
    })
    return query
  })
}
