/** Reads the record and the bytes of an artifact by its id. */
import { IvcapError, isIvcapError } from '../../model/errors.js'
import type { EventListener } from '../../model/events.js'
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import { artifactUuid, type Urn } from '../../model/urn.js'
import type { ArtifactContent, ArtifactStore, AspectStore, BlobStore, OpOptions } from '../../ports/index.js'
import { opOptions } from '../../retry/retry.js'
import { ARTIFACT_SCHEMAS } from '../../rules/provenance.js'
import type { Engine } from '../context.js'
import { findBytes } from './bytes.js'
import { recordIn } from './record.js'

export interface ArtifactLocator {
  /** Returns the key of an artifact's bytes; undefined if it has none here. */
  readonly artifactKey: (artifact: { readonly id: Urn }) => string | undefined
  /** The store of the records: the engine's own aspects, or another store. */
  readonly aspects: AspectStore
  /** Finds the aspect of an artifact whose entry in the index of its entity is lost. */
  readonly findLost?: (id: Urn, o: OpOptions) => Promise<AspectRecord | undefined>
}

/** Requests the record and the bytes concurrently, since most artifacts that are read exist. */
export async function readArtifact(
  { blobs }: Engine,
  o: ArtifactLocator,
  id: Urn,
  options: Parameters<ArtifactStore['read']>[1],
): Promise<ArtifactContent> {
  const key = keyOf(o, id)
  const op = opOptions(options)
  const [found, content] = await Promise.allSettled([stat(blobs, o, id, op), blobs.get(key, options)])
  if (found.status === 'rejected') {
    if (content.status === 'fulfilled') await content.value.body.cancel().catch(() => {})
    throw found.reason
  }
  const record = found.value
  if (content.status === 'rejected') {
    const { reason } = content
    if (isIvcapError(reason, 'not-found')) throw bytesGone(id, key, reason)
    // the range or etag may match the record, but not the stored bytes
    const other = isIvcapError(reason, 'invalid-argument') || isIvcapError(reason, 'precondition-failed')
    const there = other ? await findBytes(blobs, key, op) : undefined
    if (there !== undefined) assertWhole(record, key, there.size)
    throw reason
  }
  // the etag and size of the stored bytes take precedence: a resumed read is bound to them
  const { info, range, body } = content.value
  try {
    assertWhole(record, key, info.size)
  } catch (error) {
    await body.cancel(error).catch(() => {})
    throw error
  }
  return { record: { ...record, etag: info.etag, size: info.size }, range, body }
}

/**
 * Returns the record of an artifact, and the id of the aspect that contains it; undefined if it does not exist. If the index has
 * no record but the bytes exist, searches the records of all artifacts with `findLost`.
 *
 * @throws IvcapError `integrity` if the record exists but is damaged
 */
export async function findRecord(
  blobs: BlobStore,
  o: ArtifactLocator,
  id: Urn,
  op: OpOptions,
): Promise<{ readonly record: ArtifactRecord; readonly aspect: Urn } | undefined> {
  // an invalid id has no record: skip the request
  if (artifactUuid(id) === undefined) return undefined
  let damage: unknown
  const onEvent: EventListener = (event) => {
    if (event.kind === 'left-out') damage ??= event.error ?? event.message
  }
  for (const schema of ARTIFACT_SCHEMAS) {
    const { items } = await o.aspects.list(
      { entity: id, schema, orderBy: 'valid_from', orderDirection: 'DESC', includeContent: true, limit: 1 },
      { ...op, onEvent },
    )
    const [aspect] = items
    const record = aspect && recordIn(aspect)
    if (record !== undefined && aspect !== undefined) return { record, aspect: aspect.id }
    if (aspect !== undefined) damage ??= `${aspect.id} does not describe an artifact`
  }
  if (damage !== undefined) throw recordDamaged(id, damage)
  const key = o.findLost && o.artifactKey({ id })
  if (o.findLost === undefined || key === undefined) return undefined
  if ((await findBytes(blobs, key, op)) === undefined) return undefined
  const lost = await o.findLost(id, op)
  const record = lost && recordIn(lost)
  return lost && record && { record, aspect: lost.id }
}

export async function stat(
  blobs: BlobStore,
  o: ArtifactLocator,
  id: Urn,
  op: OpOptions,
): Promise<ArtifactRecord> {
  op.signal?.throwIfAborted()
  const found = await findRecord(blobs, o, id, op)
  if (found !== undefined) return found.record
  throw new IvcapError('not-found', `There is no artifact ${id} here`, { resource: id })
}

export function keyOf(o: ArtifactLocator, id: Urn): string {
  const key = o.artifactKey({ id })
  if (key !== undefined) return key
  throw new IvcapError('not-found', `There is no artifact ${id} here`, { resource: id })
}

/** Bytes of an artifact never change: a size that differs from the record is damage. */
function assertWhole({ id, size }: ArtifactRecord, key: string, there: number): void {
  if (size === undefined || size === there) return
  throw new IvcapError(
    'integrity',
    `${id} has ${size} bytes by its record, and there are ${there} at ${key}: restore them from a copy`,
    { resource: id },
  )
}

function bytesGone(id: Urn, key: string, cause: unknown): IvcapError {
  return new IvcapError(
    'integrity',
    `${id} has a record, but its bytes are not at ${key}: restore them from a copy`,
    { resource: id, cause },
  )
}

function recordDamaged(id: Urn, damage: unknown): IvcapError {
  const what = damage instanceof Error ? damage.message : String(damage)
  return new IvcapError('integrity', `The record of ${id} cannot be read: ${what}`, {
    resource: id,
    ...(damage instanceof Error && { cause: damage }),
  })
}
