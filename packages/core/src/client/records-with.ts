import { isIvcapError } from '../model/errors.js'
import type { AspectRecord } from '../model/records.js'
import type { OpOptions } from '../ports/index.js'
import { listRecords } from './aspects/aspects.js'
import type { Context } from './context.js'

/** The content path for what has this very text at `key`. Texts are escaped there as they are in JSON. */
export const pathTo = (key: string, text: string): string => `$.${key} ? (@ == ${JSON.stringify(text)})`

/**
 * The records in force whose content has this very text at `key`; content itself may be left out. Not every deployment
 * knows content paths: all that entity and schema leave is read from one that doesn't.
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
