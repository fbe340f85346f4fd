/** From an artifact's id to its record and its bytes. */
import { IvcapError, isIvcapError } from '../model/errors.js'
import type { ArtifactRecord } from '../model/records.js'
import { artifactUuid, type Urn } from '../model/urn.js'
import type { ArtifactContent, ArtifactStore, AspectStore, OpOptions } from '../ports.js'
import { ARTIFACT_SCHEMAS } from '../rules/provenance.js'
import { opOptions } from '../transfer/retry.js'
import { recordIn } from './artifact-record.js'
import type { Engine } from './context.js'

export interface Whereabouts {
  /** The key of an artifact's bytes. */
  readonly locate: (artifact: { readonly id: Urn }) => string | undefined
  /** Where records are kept: the engine's own aspects, or those of another place. */
  readonly aspects: AspectStore
}

/** Asks for the record and for the bytes at the same time: what is read is there, as a rule. */
export async function readArtifact(
  { blobs }: Engine,
  o: Whereabouts,
  id: Urn,
  options: Parameters<ArtifactStore['read']>[1],
): Promise<ArtifactContent> {
  const key = keyOf(o, id)
  const [record, content] = await Promise.allSettled([
    stat(o.aspects, id, opOptions(options)),
    blobs.get(key, options),
  ])
  if (record.status === 'rejected') {
    if (content.status === 'fulfilled') await content.value.body.cancel().catch(() => {})
    throw record.reason
  }
  if (content.status === 'rejected') {
    throw isIvcapError(content.reason, 'not-found') ? bytesGone(id, key, content.reason) : content.reason
  }
  // what the store says of the bytes counts: a resumed read is pinned by it
  const { info, range, body } = content.value
  return { record: { ...record.value, etag: info.etag, size: info.size }, range, body }
}

export async function findRecord(
  aspects: AspectStore,
  id: Urn,
  o: OpOptions,
): Promise<{ readonly record: ArtifactRecord; readonly aspect: Urn } | undefined> {
  // an id that was typed wrong is nobody's: not worth a request
  if (artifactUuid(id) === undefined) return undefined
  for (const schema of ARTIFACT_SCHEMAS) {
    const { items } = await aspects.list(
      { entity: id, schema, orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: 1 },
      o,
    )
    const record = items[0] && recordIn(items[0])
    if (record !== undefined && items[0] !== undefined) return { record, aspect: items[0].id }
  }
  return undefined
}

export async function stat(aspects: AspectStore, id: Urn, o: OpOptions): Promise<ArtifactRecord> {
  o.signal?.throwIfAborted()
  const found = await findRecord(aspects, id, o)
  if (found !== undefined) return found.record
  throw new IvcapError('not-found', `There is no artifact ${id} here`, { resource: id })
}

export function keyOf(o: Whereabouts, id: Urn): string {
  const key = o.locate({ id })
  if (key !== undefined) return key
  throw new IvcapError('not-found', `There is no artifact ${id} here`, { resource: id })
}

function bytesGone(id: Urn, key: string, cause: unknown): IvcapError {
  return new IvcapError('integrity', `${id} has a record, but its bytes are not at ${key}`, {
    resource: id,
    cause,
  })
}
