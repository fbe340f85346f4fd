import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import { artifactUuid, isUrn } from '../../model/urn.js'
import { artifactOf } from '../../rules/provenance.js'

/** The artifact that an aspect records, if it does. Where its bytes are is not said: that is the store's own business. */
export function recordIn({ entity, content }: AspectRecord): ArtifactRecord | undefined {
  if (!isUrn(entity) || artifactUuid(entity) === undefined || content === undefined) return undefined
  const recorded = artifactOf(entity, content)
  if (recorded === undefined) return undefined
  const { location, ...record } = recorded
  return record
}
