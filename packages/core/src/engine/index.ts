/**
 * `@ivcap/core/engine`: artifacts and aspects over any BlobStore. Glossary:
 *
 * - **slot**: one numbered object in the log of an (entity, schema); it holds a record or a retraction, and ends the slot before it.
 * - **head**: the newest slot of a log.
 * - **standalone record**: an added record, outside the logs, at a key of its own.
 * - **pointer**: the object at the id of an updated record; it names the slot that holds the record.
 * - **closing**: the object that ends a standalone record when it is retracted.
 * - **note**: an empty object beside a standalone record; it says that the record ends if the named update wins the named slot.
 * - **entry**: an empty object in an index, whose key says when a record begins and where it is.
 * - **mark**: an empty object beside an entry; it says that a writer is closing the record, or has closed it.
 * - **hint**: an object that is written before a commit: an entry, pointer, mark or note. Without the commit it has no effect.
 * - **commit**: the one create-if-absent that makes a write visible.
 * - **tombstone**: the text at an id at which no record can be committed any more.
 *
 * `keys.ts` lists the keys; `writes/` has a table of steps and crashes for each write.
 */
import type { EventListener } from '../model/events.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { type Clock, parseTime } from '../model/time.js'
import { artifactUuid, type Urn } from '../model/urn.js'
import type { ArtifactStore, AspectStore, Backend, BlobStore, OpOptions } from '../ports/index.js'
import { type BlobArtifactsOptions, blobArtifacts } from './artifacts/upload.js'
import { blobAspects } from './aspect-store.js'
import { createEngine, type Engine } from './context.js'
import { contentKey } from './keys.js'
import { findLost as findLostRecord } from './maintenance/find-lost.js'
import { maintenance } from './maintenance/index.js'
import { vacuumBefore } from './maintenance/vacuum.js'
import { addAspect } from './writes/add.js'

export interface BlobBackendOptions {
  /** Name for messages, e.g. `s3`. @default 'blobs' */
  readonly name?: string | undefined
  /** Returns microseconds since 1970. @default the system's clock */
  readonly clock?: Clock | undefined
  /** The writer's name, recorded as asserter and retracter. @default none */
  readonly asserter?: string | undefined
  /** Whether the client keeps upload sidecars; false for a store that exists only in this process. @default true */
  readonly remembersUploads?: boolean | undefined
  /** Receives events, e.g. if a list leaves out a damaged record. @default no listener */
  readonly onEvent?: EventListener | undefined
  /**
   * Returns the key of an artifact's bytes, for a bucket with another layout; undefined for an id that has no bytes in the
   * bucket. New artifacts are stored at this key, too.
   *
   * @default `artifacts/<uuid>`
   */
  readonly artifactKey?: ((artifact: { readonly id: Urn }) => string | undefined) | undefined
}

/**
 * Artifacts and aspects over a blob store. The store must support atomic creation; the engine requires nothing else. Any number
 * of processes may use the same store concurrently. `close()` resolves when the pending index clean-up is written; the store
 * itself stays open.
 */
export function blobBackend(
  blobs: BlobStore,
  o: BlobBackendOptions = {},
): Backend & { readonly close: () => Promise<void> } {
  const engine = engineOf(blobs, o)
  const aspects = blobAspects(engine)
  const addRecord: BlobArtifactsOptions['addRecord'] = (draft, at, op) =>
    addAspect(engine, draft, { ...op, at })
  const findLost: BlobArtifactsOptions['findLost'] = (id, op) => findLostRecord(engine, id, op)
  return {
    artifacts: blobArtifacts(engine, { ...artifactOptions(o), aspects, addRecord, findLost }),
    aspects,
    ...maintenance(engine, artifactOptions(o)),
    close: () => engine.background.finished(),
  }
}

/** Artifacts in a blob store whose records are kept elsewhere: by the platform, or in another store. */
export function blobArtifactStore(
  blobs: BlobStore,
  o: BlobBackendOptions & { readonly aspects: AspectStore },
): ArtifactStore {
  return blobArtifacts(engineOf(blobs, o), { ...artifactOptions(o), aspects: o.aspects })
}

export interface VacuumOptions extends OpOptions {
  /** Removes only adds that began before this time. Choose a time before which no running write began, e.g. a day ago. */
  readonly olderThan: Date
}

/**
 * Removes the index entries that crashed uploads and adds left. Safe at any time: a writer that is still running fails with
 * `already-exists`. Reads each current aspect that was added before that time twice.
 *
 * @returns the number of unfinished adds that it removed
 */
export const vacuum = (blobs: BlobStore, { olderThan, ...o }: VacuumOptions): Promise<number> =>
  vacuumBefore(createEngine(blobs), parseTime(olderThan, 'olderThan'), o)

const artifactOptions = ({ name, remembersUploads, artifactKey }: BlobBackendOptions) => ({
  name: name ?? 'blobs',
  remembersUploads: remembersUploads ?? true,
  artifactKey: artifactKey ?? byUuid,
})

const engineOf = (blobs: BlobStore, { clock, asserter, onEvent }: BlobBackendOptions): Engine =>
  createEngine(blobs, omitUndefined({ clock, asserter, onEvent }))

function byUuid({ id }: { readonly id: Urn }): string | undefined {
  const uuid = artifactUuid(id)
  return uuid === undefined ? undefined : contentKey(uuid)
}
