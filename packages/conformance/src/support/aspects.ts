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

/** Returns a draft of an aspect, of ENTITY by default. `content` needs no `$schema`. */
export function draft(
  content: JsonObject,
  { entity = ENTITY, schema = SCHEMA }: { readonly entity?: string; readonly schema?: string } = {},
): AspectDraft {
  return { entity, schema, content: { $schema: schema, ...content } }
}

/** Adds an aspect and reads it back, since the result of `assert` may omit fields. */
export async function add(
  { aspects }: Backend,
  content: JsonObject,
  of: { readonly entity?: string; readonly schema?: string } = {},
): Promise<StoredAspect> {
  return stored(aspects, await aspects.assert(draft(content, of), 'add', {}))
}

/** Replaces an aspect and reads it back. */
export async function update(
  { aspects }: Backend,
  content: JsonObject,
  of: { readonly entity?: string; readonly schema?: string } = {},
): Promise<StoredAspect> {
  return stored(aspects, await aspects.assert(draft(content, of), 'replace', {}))
}

/** A record as `get` returns it: the fields that every backend knows are present. */
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

/** Reads all pages of a listing and returns all aspects that match, newest first by default. */
export function allAspects(
  { aspects }: Backend,
  query: Partial<AspectQuery> = {},
): Promise<readonly AspectRecord[]> {
  return allOf((cursor) => aspects.list(aspectQuery({ ...query, ...(cursor && { cursor }) }), {}))
}

export const idsOf = (records: readonly { readonly id: string }[]): readonly string[] =>
  records.map((r) => r.id)
