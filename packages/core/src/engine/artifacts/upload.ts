/**
 * Artifacts over any BlobStore: the bytes are at `artifacts/<uuid>`, the record is an aspect of the artifact.
 *
 * | step of an upload | a crash after it leaves | a reader sees |
 * |---|---|---|
 * | 1. the bytes, at a new key | bytes without a record | nothing |
 * | 2. the collection's item, if requested | an item without an artifact | the item; the artifact is not found |
 * | 3. the record: **the commit** | | the artifact |
 *
 * If a step fails, the steps before it are undone.
 */

import { IvcapError } from '../../model/errors.js'
import { omitUndefined } from '../../model/omit-undefined.js'
import type { ArtifactRecord, AspectRecord } from '../../model/records.js'
import { type Timestamp, timestamp } from '../../model/time.js'
import { artifactUrn, type Urn } from '../../model/urn.js'
import type {
  ArtifactDraft,
  ArtifactStore,
  AspectDraft,
  BlobStore,
  ByteSource,
  OpOptions,
  TransferOptions,
} from '../../ports/index.js'
import { afterFailure, opOptions } from '../../retry/retry.js'
import { collectionItem } from '../../rules/collections.js'
import { artifactAspect } from '../../rules/provenance.js'
import { progressOf } from '../../streams/progress.js'
import { withDigest } from '../../streams/sha256.js'
import { bestEffort } from '../background.js'
import type { Engine } from '../context.js'
import { findBytes, storeBytes } from './bytes.js'
import { listArtifacts } from './list.js'
import { type ArtifactLocator, findRecord, keyOf, readArtifact, stat } from './read.js'

export interface BlobArtifactsOptions extends ArtifactLocator {
  /** Name for messages, e.g. `s3`. */
  readonly name: string
  /** Whether the client keeps upload sidecars; false for a store that exists only in this process. */
  readonly remembersUploads: boolean
  /** Adds a record that begins at the creation time of the artifact, to the microsecond, so that lists by either time agree. */
  readonly addRecord?: (draft: AspectDraft, at: Timestamp, o: OpOptions) => Promise<AspectRecord>
}

/** Artifacts over a BlobStore. Callers must pass complete and valid input, as the client does. */
export function blobArtifacts(engine: Engine, o: BlobArtifactsOptions): ArtifactStore {
  return {
    name: o.name,
    location: engine.blobs.uri,
    remembersUploads: o.remembersUploads,
    create: (source, draft, options) => create(engine, o, source, draft, options),
    stat: (id, options) => stat(engine.blobs, o, id, options),
    read: (id, options) => readArtifact(engine, o, id, options),
    list: (q, options) => listArtifacts(o.aspects, engine, q, options),
  }
}

async function create(
  engine: Engine,
  o: BlobArtifactsOptions,
  source: ByteSource,
  draft: ArtifactDraft,
  options: OpOptions & TransferOptions,
): Promise<ArtifactRecord> {
  const op = opOptions(options)
  const { blobs } = engine
  const id = draft.id ?? artifactUrn(engine.uuid())
  const key = keyOf(o, id)
  if (draft.id !== undefined) await claim(blobs, o, id, key, op)
  const progress = progressOf(options, source.size)
  const undo: ((o: OpOptions) => Promise<void>)[] = [(o) => blobs.delete(key, o)]
  const undone = async (error: unknown) => {
    for (const step of undo) await bestEffort(step(afterFailure(error, op)))
    return error
  }
  let record: ArtifactRecord
  try {
    record = await upload(engine, id, key, source, draft, { ...options, onProgress: progress.report })
    const item = collectionItem(draft, id)
    if (item !== undefined) {
      const { id: itemId } = await o.aspects.assert(item, 'add', op)
      undo.unshift((op) => o.aspects.retract(itemId, op))
    }
  } catch (error) {
    throw await undone(error)
  }
  try {
    await writeRecord(o, record, `${blobs.uri}/${key}`, op)
  } catch (error) {
    const written = await findRecord(blobs, o, id, afterFailure(error, op)).catch(() => 'who knows' as const)
    // the bytes must stay if the record may exist
    if (written === 'who knows') throw error
    if (written === undefined) throw await undone(error)
    if (op.signal?.aborted) {
      undo.unshift((op) => o.aspects.retract(written.aspect, op))
      throw await undone(error)
    }
  }
  progress.finish(record.size ?? 0)
  return record
}

/**
 * Frees the key for an artifact whose id the caller chose: deletes bytes without a record, which a crash has left. If there are no
 * bytes, there is no record, since it is written after them.
 *
 * @throws IvcapError `already-exists` if the artifact exists
 */
async function claim(
  blobs: BlobStore,
  o: ArtifactLocator,
  id: Urn,
  key: string,
  op: OpOptions,
): Promise<void> {
  if ((await findBytes(blobs, key, op)) === undefined) return
  if ((await findRecord(blobs, o, id, op)) !== undefined) {
    throw new IvcapError('already-exists', `There is an artifact ${id} already`, { resource: id })
  }
  await blobs.delete(key, op)
}

/** Stores the bytes and returns the record of the artifact, which is not yet written. */
async function upload(
  engine: Engine,
  id: Urn,
  key: string,
  source: ByteSource,
  draft: ArtifactDraft,
  options: OpOptions & TransferOptions,
): Promise<ArtifactRecord> {
  const { source: hashed, sha256 } = source.sha256 ? { source, sha256: source.sha256 } : withDigest(source)
  const { size, etag } = await storeBytes(engine, key, hashed, { ...options, contentType: draft.mimeType })
  if (source.unchanged !== undefined && !(await source.unchanged())) throw changed(draft)
  options.signal?.throwIfAborted()
  const at = timestamp(engine.clock())
  return omitUndefined({
    id,
    name: draft.name,
    status: 'ready' as const,
    size,
    mimeType: draft.mimeType,
    etag,
    createdAt: at,
    lastModifiedAt: at,
    policy: draft.policy,
    sha256: await sha256(),
  })
}

async function writeRecord(
  { aspects, addRecord }: BlobArtifactsOptions,
  record: ArtifactRecord,
  location: string,
  o: OpOptions,
): Promise<void> {
  const draft = artifactAspect(record, location)
  if (addRecord !== undefined && record.createdAt !== undefined) await addRecord(draft, record.createdAt, o)
  else await aspects.assert(draft, 'add', o)
}

function changed({ name }: ArtifactDraft): IvcapError {
  const what = name === undefined ? 'The source' : `The source of ${JSON.stringify(name)}`
  return new IvcapError('integrity', `${what} changed while it was read: upload it again when it rests`)
}
