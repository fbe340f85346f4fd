import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import { artifactUuid, isUrn } from '../../model/urn.js'
import { artifactOf } from '../../rules/provenance.js'

/** Returns the artifact that an aspect records, if any. Omits the location of its bytes, which is internal to the store. */
export function recordIn({ entity, content }: AspectRecord): ArtifactRecord | undefined {
  if (!isUrn(entity) || artifactUuid(entity) === undefined || content === undefined) return undefined
  const recorded = artifactOf(entity, content)
  if (recorded === undefined) return undefined
  const { location, ...record } = recorded
  return record
}
