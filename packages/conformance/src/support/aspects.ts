import type {
  AspectDraft,
  AspectQuery,
  AspectRecord,
  AspectStore,
  Backend,
  JsonObject,
} from '@ivcap/core/driver'
import { allOf } from './pages.js'

export const ENTITY = 'urn:example:reef:7'
export const SCHEMA = 'urn:example:schema:survey.1'

/** An aspect of ENTITY unless another is named; `content` needs no `$schema`. */
export function draft(
  content: JsonObject,
  { entity = ENTITY, schema = SCHEMA }: { readonly entity?: string; readonly schema?: string } = {},
): AspectDraft {
  return { entity, schema, content: { $schema: schema, ...content } }
}

/** Adds and reads back: what `assert` answers may tell less than the record. */
export async function add(
  { aspects }: Backend,
  content: JsonObject,
  of: { readonly entity?: string; readonly schema?: string } = {},
): Promise<StoredAspect> {
  return stored(aspects, await aspects.assert(draft(content, of), 'add', {}))
}

/** Replaces and reads back. */
export async function update(
  { aspects }: Backend,
  content: JsonObject,
  of: { readonly entity?: string; readonly schema?: string } = {},
): Promise<StoredAspect> {
  return stored(aspects, await aspects.assert(draft(content, of), 'replace', {}))
}

/** A record as `get` tells it: the fields that every place knows are there. */
export type StoredAspect = AspectRecord & Required<Pick<AspectRecord, 'content' | 'validFrom'>>

async function stored(aspects: AspectStore, { id }: AspectRecord): Promise<StoredAspect> {
  const record = await aspects.get(id, {})
  const { content, validFrom } = record
  if (content === undefined || validFrom === undefined) {
    throw new Error(`${id} was read back without its content or validFrom`)
  }
  return { ...record, content, validFrom }
}

export function aspectQuery(query: Partial<AspectQuery> = {}): AspectQuery {
  return { orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: 50, ...query }
}

/** All aspects that fit, page by page; newest first unless the query says otherwise. */
export function allAspects(
  { aspects }: Backend,
  query: Partial<AspectQuery> = {},
): Promise<readonly AspectRecord[]> {
  return allOf((cursor) => aspects.list(aspectQuery({ ...query, ...(cursor && { cursor }) }), {}))
}

export const idsOf = (records: readonly { readonly id: string }[]): readonly string[] =>
  records.map((r) => r.id)
