import type { ArtifactRecord } from '../../model/records.js'
import { isUrn, type Urn } from '../../model/urn.js'
import { ARTIFACT_SCHEMAS, artifactOf, PRODUCED_BY_SCHEMAS, USED_BY_SCHEMAS } from '../../rules/provenance.js'
import type { Aspect } from '../aspects/aspect.js'
import type { Listing } from '../listing.js'
import type { CallOptions } from '../operation.js'

/** The origin and the use of an artifact. */
export interface Provenance {
  /** URNs of the jobs that produced it (in practice one). */
  readonly producedBy: readonly Urn[]
  /** URNs of the jobs that read it. */
  readonly usedBy: readonly Urn[]
  /** Record of the upload; undefined if none exists, e.g. for a file that was put there by hand. */
  readonly record: ArtifactRecord | undefined
}

type ListBySchema = (schema: string, o: CallOptions) => Listing<Aspect>

/** Reads today's schemas and the spellings of older deployments. */
export async function provenanceOf(artifact: Urn, list: ListBySchema, o: CallOptions): Promise<Provenance> {
  const [records, producedBy, usedBy] = await Promise.all([
    aspectsOf(ARTIFACT_SCHEMAS, list, o),
    aspectsOf(PRODUCED_BY_SCHEMAS, list, o),
    aspectsOf(USED_BY_SCHEMAS, list, o),
  ])
  const record = records
    .map((aspect) => artifactOf(artifact, aspect.content))
    .find((found) => found !== undefined)
  return { producedBy: orders(producedBy), usedBy: orders(usedBy), record }
}

async function aspectsOf(schemas: readonly string[], list: ListBySchema, o: CallOptions): Promise<Aspect[]> {
  const found = await Promise.all(schemas.map((schema) => list(schema, o).toArray()))
  return found.flat()
}

/** Each job once, in the order of the aspects. */
function orders(aspects: readonly Aspect[]): readonly Urn[] {
  return [...new Set(aspects.map((aspect) => aspect.content['order']).filter(isUrn))]
}
