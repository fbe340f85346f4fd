import type {
  ArtifactQuery,
  ArtifactRecord,
  AspectQuery,
  AspectRecord,
  Backend,
  Urn,
} from '@ivcap/core/driver'
import { transfer } from './bytes.js'

const artifactQuery: ArtifactQuery = { limit: 50, orderDesc: true }
const aspectQuery: AspectQuery = {
  limit: 50,
  orderBy: 'valid_from',
  orderDirection: 'DESC',
  includeContent: true,
}

export const named = (name: string, mimeType = 'text/plain') => ({ name, mimeType })
export const plain = transfer

export const draft = (entity: string, schema: string, content: Record<string, string | number> = {}) => ({
  entity,
  schema,
  content: { $schema: schema, ...content },
})

export async function allArtifacts(
  backend: Backend,
  q: Partial<ArtifactQuery> = {},
): Promise<ArtifactRecord[]> {
  const all: ArtifactRecord[] = []
  let cursor: string | undefined
  do {
    const page = await backend.artifacts.list({ ...artifactQuery, ...q, ...(cursor && { cursor }) }, {})
    all.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return all
}

export async function allAspects(backend: Backend, q: Partial<AspectQuery> = {}): Promise<AspectRecord[]> {
  const all: AspectRecord[] = []
  let cursor: string | undefined
  do {
    const page = await backend.aspects.list({ ...aspectQuery, ...q, ...(cursor && { cursor }) }, {})
    all.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return all
}

export const artifactNames = async (backend: Backend): Promise<(string | undefined)[]> =>
  (await allArtifacts(backend)).map((a) => a.name).sort()

export const entity: Urn = 'urn:example:reef:1'
export const tag = 'urn:example:schema:tag.1'
