import { IvcapError } from '../../model/errors.js'
import { type JsonInput, toJsonObject } from '../../model/json.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import type { OptionNames } from '../../model/options.js'
import type { TimeInput } from '../../model/time.js'
import { parsePolicy, parseUri, show } from '../../model/urn.js'
import type { AspectDraft, AspectQuery } from '../../ports/index.js'
import { pathOfWhere } from '../../query/where/path.js'
import type { Where } from '../../query/where/types.js'
import { checkLimit, checkText, checkWord, ifGiven, parseAtTime } from '../arguments.js'
import { idOf, type Reference } from '../handle.js'
import { CALL_OPTIONS, type CallOptions } from '../operation.js'
import type { AspectType } from './aspect-type.js'

export interface AssertOptions extends CallOptions {
  /** Schema of the aspect. Takes precedence over `content.$schema`. */
  readonly schema?: string | undefined
  /** `urn:ivcap:policy:…`: controls who may see the aspect. */
  readonly policy?: string | undefined
}

export const ASSERT_OPTIONS: OptionNames<AssertOptions> = { schema: true, policy: true, ...CALL_OPTIONS }

/** One of many aspects to add. */
export interface AspectInput {
  /** URN (or any URI) of the entity that the aspect describes, or a handle of it. */
  readonly entity: Reference
  readonly content: JsonInput
  readonly schema?: string | undefined
  readonly policy?: string | undefined
}

export const ASPECT_INPUT_OPTIONS: OptionNames<AspectInput> = {
  entity: true,
  content: true,
  schema: true,
  policy: true,
}

export interface ListAspectsOptions extends CallOptions {
  /** URN (or any URI) of the entity, or a handle of it. */
  readonly entity?: Reference | undefined
  /** A schema, or a pattern in which `%` stands for any characters, e.g. `urn:ivcap:schema%`. */
  readonly schema?: string | undefined
  /** SQL/JSON path that must match something in the content, e.g. `$.images[*] ? (@.size > 10000)`. */
  readonly contentPath?: string | undefined
  /** Conditions on the content, e.g. `{ depth: { gt: 10 } }`. Must not be combined with `contentPath`. */
  readonly where?: Where | undefined
  readonly filter?: string | undefined
  /** Lists the aspects that were in force at this time. @default now */
  readonly atTime?: TimeInput | undefined
  /** Maximum number of aspects; Infinity for all. @default 10 */
  readonly limit?: number | undefined
  /** Comma-separated list of fields. @default valid_from */
  readonly orderBy?: string | undefined
  /** @default DESC */
  readonly orderDirection?: 'ASC' | 'DESC' | undefined
  /** If false, listed aspects have no content; `await aspect.load()` fetches it. @default true */
  readonly includeContent?: boolean | undefined
}

/** As `ListAspectsOptions`, for aspects of one type: contents are validated, and conditions are typed. */
export interface ListTypedOptions<T> extends Omit<ListAspectsOptions, 'schema' | 'where' | 'includeContent'> {
  readonly type: AspectType<unknown, T>
  readonly where?: Where<T> | undefined
}

export const METADATA_OPTIONS: OptionNames<Omit<ListAspectsOptions, 'entity'>> = {
  schema: true,
  contentPath: true,
  where: true,
  filter: true,
  atTime: true,
  limit: true,
  orderBy: true,
  orderDirection: true,
  includeContent: true,
  ...CALL_OPTIONS,
}

const LIST_ASPECTS_OPTIONS: OptionNames<ListAspectsOptions> = { entity: true, ...METADATA_OPTIONS }

export const LIST_TYPED_OPTIONS: OptionNames<ListAspectsOptions & { readonly type: AspectType }> = {
  type: true,
  ...LIST_ASPECTS_OPTIONS,
}

/** @throws IvcapError `missing-argument` or `invalid-argument` */
export function aspectDraft(
  { entity, content, schema, policy }: Omit<AspectInput, 'content'> & { readonly content: unknown },
  where = '',
): AspectDraft {
  const about = parseUri(idOf(entity), `${where}entity`)
  const { $schema, $entity, ...rest } = toJsonObject(content, `${where}content`)
  if ($entity !== undefined && $entity !== about) {
    const message = `${where}content.$entity is ${show($entity)}, but entity is ${show(about)}: leave $entity out`
    throw new IvcapError('invalid-argument', message, { argument: `${where}content` })
  }
  const chosen = schema ?? $schema
  if (chosen === undefined || chosen === '') {
    const message = `${where}schema is missing: give it as an option, or as "$schema" in the content`
    throw new IvcapError('missing-argument', message, { argument: `${where}schema` })
  }
  const type = parseUri(chosen, schema === undefined ? `${where}content.$schema` : `${where}schema`)
  return {
    entity: about,
    schema: type,
    content: { $schema: type, ...rest },
    ...(policy !== undefined && { policy: parsePolicy(policy, `${where}policy`) }),
  }
}

function contentPathOf({ contentPath, where }: ListAspectsOptions): string | undefined {
  if (where === undefined) return ifGiven(contentPath, 'contentPath', checkText)
  if (contentPath === undefined) return pathOfWhere(where)
  const message = 'where and contentPath both say what contents are wanted: give one of them'
  throw new IvcapError('invalid-argument', message, { argument: 'where' })
}

/** The query of a listing, without its page. @throws IvcapError `invalid-argument` */
export function aspectQuery(
  o: ListAspectsOptions,
): Omit<AspectQuery, 'limit' | 'cursor'> & { readonly limit: number } {
  return omitUndefined({
    entity: ifGiven(o.entity, 'entity', (entity, argument) => parseUri(idOf(entity), argument)),
    schema: ifGiven(o.schema, 'schema', checkText),
    contentPath: contentPathOf(o),
    filter: ifGiven(o.filter, 'filter', checkText),
    atTime: parseAtTime(o.atTime),
    orderBy: checkText(o.orderBy ?? 'valid_from', 'orderBy'),
    orderDirection: checkWord(o.orderDirection ?? 'DESC', 'orderDirection', ['ASC', 'DESC']),
    includeContent: o.includeContent ?? true,
    limit: checkLimit(o.limit ?? 10),
  })
}
