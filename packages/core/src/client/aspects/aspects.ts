import { isIvcapError } from '../../model/errors.js'
import type { AspectRecord } from '../../model/records.js'
import { parseAspectId } from '../../model/urn.js'
import type { AspectDraft, OpOptions } from '../../ports/index.js'
import type { Context } from '../context.js'
import { idOf, type Reference } from '../handle.js'
import { type Listing, listingOf, listingOfPages, PAGE_SIZE, pagesFrom } from '../listing.js'
import { CALL_OPTIONS, type CallOptions, call } from '../operation.js'
import { Aspect } from './aspect.js'
import {
  ASSERT_OPTIONS,
  type AspectInput,
  type AssertOptions,
  aspectDraft,
  aspectQuery,
  type ListAspectsOptions,
} from './aspect-input.js'
import { type AspectType, type TypedAspect, typedAspect } from './aspect-type.js'

export function listAspects(context: Context, operation: string, o: ListAspectsOptions): Listing<Aspect> {
  return listRecords(context, operation, o, (record) => new Aspect(context, record, false))
}

/** Lists the aspects of one type. An aspect whose content does not match is left out and reported by a `left-out` event. */
export function listTyped<T>(
  context: Context,
  operation: string,
  type: AspectType<unknown, T>,
  o: ListAspectsOptions,
): Listing<TypedAspect<T>> {
  const { limit, ...query } = aspectQuery({ ...o, schema: type.schema, includeContent: true })
  return listingOfPages(context, operation, { ...o, limit }, async function* (run) {
    const pages = pagesFrom(Math.min(PAGE_SIZE, limit), (page) =>
      run((op) => context.backend.aspects.list({ ...query, ...page }, op)),
    )
    for await (const { items, more } of pages) {
      const typed = await run((op) =>
        Promise.all(items.map((record) => typedOrLeftOut(context, type, record, op))),
      )
      yield { items: typed.filter((aspect) => aspect !== undefined), more }
    }
  })
}

async function typedOrLeftOut<T>(
  context: Context,
  type: AspectType<unknown, T>,
  record: AspectRecord,
  op: OpOptions,
): Promise<TypedAspect<T> | undefined> {
  try {
    return await typedAspect(context, type, record)
  } catch (error) {
    if (!isIvcapError(error, 'integrity')) throw error
    op.onEvent?.({ kind: 'left-out', message: error.message, resource: record.id, error })
    return undefined
  }
}

/** Checks the arguments now. Fetches nothing before the first item is requested. */
export function listRecords<T>(
  context: Context,
  operation: string,
  o: ListAspectsOptions,
  wrap: (record: AspectRecord) => T,
): Listing<T> {
  const { limit, ...query } = aspectQuery(o)
  return listingOf(
    context,
    operation,
    { ...o, limit },
    (page, op) => context.backend.aspects.list({ ...query, ...page }, op),
    wrap,
  )
}

export async function assertAspect(
  context: Context,
  operation: 'addAspect' | 'updateAspect',
  input: Pick<AspectInput, 'entity' | 'content'>,
  o: AssertOptions,
): Promise<Aspect> {
  const mode = operation === 'addAspect' ? 'add' : 'replace'
  return call(context, operation, o, ASSERT_OPTIONS, async (op, { schema, policy }) => {
    const draft = aspectDraft({ ...input, schema, policy })
    const record = await context.backend.aspects.assert(draft, mode, op)
    return aspectHandle(context, record, draft)
  })
}

/** A handle on an aspect that was just stored. `load()` fetches the fields that the response omits. */
export const aspectHandle = (context: Context, record: AspectRecord, { content }: AspectDraft): Aspect =>
  new Aspect(context, { ...record, content }, record.validFrom !== undefined)

export async function getAspect(context: Context, id: Reference, o: CallOptions): Promise<Aspect> {
  const record = await call(context, 'getAspect', o, CALL_OPTIONS, async (op) =>
    context.backend.aspects.get(parseAspectId(idOf(id), 'id'), op),
  )
  return new Aspect(context, record, true)
}

/** A content path that matches contents whose `key` equals `text`. Texts are escaped as in JSON. */
export const pathTo = (key: string, text: string): string => `$.${key} ? (@ == ${JSON.stringify(text)})`

/**
 * Yields the records in force whose content has exactly this text at `key`. Records may come without content. If the deployment
 * does not support content paths, reads all records that match entity and schema, and filters them here.
 */
export async function* recordsWith(
  context: Context,
  operation: string,
  [key, text]: readonly [key: string, text: string],
  of: { readonly entity?: string; readonly schema: string },
  op: OpOptions,
): AsyncGenerator<AspectRecord, void, undefined> {
  const list = (o: { contentPath?: string; includeContent: boolean }) =>
    listRecords(
      context,
      operation,
      { ...of, ...o, ...op, limit: Number.POSITIVE_INFINITY },
      (record) => record,
    )
  try {
    yield* list({ contentPath: pathTo(key, text), includeContent: false })
    return
  } catch (error) {
    if (!isIvcapError(error, 'unsupported')) throw error
  }
  for await (const record of list({ includeContent: true })) {
    if (record.content?.[key] === text) yield record
  }
}
