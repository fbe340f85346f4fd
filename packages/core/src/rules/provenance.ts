import * as v from 'valibot'
import type { JsonObject } from '../model/json.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { ARTIFACT_STATUSES, type ArtifactRecord } from '../model/records.js'
import { parseTimestamp } from '../model/time.js'
import { isUrn, type Urn } from '../model/urn.js'
import type { AspectDraft, AspectStore, OpOptions } from '../ports/index.js'
import { artifactToJson } from '../wire/artifact.js'

/** Schema of the record of an upload: an aspect of the artifact. */
export const ARTIFACT_SCHEMA = 'urn:ivcap:schema.artifact.1'
export const PRODUCED_BY_SCHEMA = 'urn:ivcap:schema.artifact-produced-by-order'
export const USED_BY_SCHEMA = 'urn:ivcap:schema.artifact-used-by-order'

/** All spellings of the schemas in deployments, today's first. */
export const ARTIFACT_SCHEMAS = [ARTIFACT_SCHEMA, 'urn:ivcap:schema:artifact.1'] as const
export const PRODUCED_BY_SCHEMAS = [
  PRODUCED_BY_SCHEMA,
  'urn:ivcap:schema:artifact-producedBy-order.1',
] as const
export const USED_BY_SCHEMAS = [USED_BY_SCHEMA, 'urn:ivcap:schema:artifact-usedBy-order.1'] as const

/** The aspect that records an artifact. `location` is the address of the bytes, for readers without this SDK. */
export function artifactAspect(record: ArtifactRecord, location?: string): AspectDraft {
  const content = omitUndefined({
    $schema: ARTIFACT_SCHEMA,
    ...artifactToJson(record),
    sha256: record.sha256,
    location,
  })
  return {
    entity: record.id,
    schema: ARTIFACT_SCHEMA,
    content,
    ...(record.policy && { policy: record.policy }),
  }
}

/** Parses the content of an artifact's aspect; undefined if it is not a valid record. */
export function artifactOf(
  id: Urn,
  content: JsonObject,
): (ArtifactRecord & { readonly location?: string }) | undefined {
  const parsed = v.safeParse(ArtifactContent, content)
  if (!parsed.success) return undefined
  const c = parsed.output
  return omitUndefined({
    id,
    name: c.name ?? undefined,
    status: c.status ?? 'ready',
    size: c.size ?? undefined,
    mimeType: c['mime-type'] ?? undefined,
    etag: c.etag ?? undefined,
    createdAt: time(c['created-at']),
    lastModifiedAt: time(c['last-modified-at']),
    policy: isUrn(c.policy) ? c.policy : undefined,
    account: c.account ?? undefined,
    cacheOf: c['cache-of'] ?? undefined,
    sha256: c.sha256 ?? undefined,
    location: c.location ?? undefined,
  })
}

/** Records that a job produced an artifact. */
export async function recordProduced(
  aspects: AspectStore,
  artifact: Urn,
  job: Urn,
  o: OpOptions,
): Promise<void> {
  await aspects.assert(linkAspect(PRODUCED_BY_SCHEMA, artifact, job), 'add', o)
}

/** Records that a job read an artifact. */
export async function recordUsed(aspects: AspectStore, artifact: Urn, job: Urn, o: OpOptions): Promise<void> {
  await aspects.assert(linkAspect(USED_BY_SCHEMA, artifact, job), 'add', o)
}

function linkAspect(schema: string, artifact: Urn, job: Urn): AspectDraft {
  return { entity: artifact, schema, content: { $schema: schema, artifact, order: job } }
}

const Text = v.nullish(v.string())
const ArtifactContent = v.object({
  name: Text,
  status: v.nullish(v.fallback(v.picklist(ARTIFACT_STATUSES), 'unknown')),
  size: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  'mime-type': Text,
  etag: Text,
  'created-at': Text,
  'last-modified-at': Text,
  policy: Text,
  account: Text,
  'cache-of': Text,
  sha256: v.nullish(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  location: Text,
})

const time = (text: string | null | undefined) => (text ? parseTimestamp(text) : undefined)
