/** `@ivcap/core/engine`: artifacts and aspects over any BlobStore. */
import type { EventListener } from '../model/events.js'
import { omitUndefined } from '../model/omit-undefined.js'
import { type Clock, parseTime, systemClock } from '../model/time.js'
import { artifactUuid, type Urn } from '../model/urn.js'
import type { ArtifactStore, AspectStore, Backend, BlobStore, OpOptions } from '../ports/index.js'
import { sleep } from '../retry/retry.js'
import { type BlobArtifactsOptions, blobArtifacts } from './artifacts/upload.js'
import { blobAspects } from './aspect-store.js'
import type { Engine } from './context.js'
import { artifactKey } from './keys.js'
import { findLost as findLostRecord } from './maintenance/find-lost.js'
import { maintenance } from './maintenance/index.js'
import { sweepBefore } from './maintenance/vacuum.js'
import { addAspect } from './writes/add.js'

export interface BlobBackendOptions {
  /** For messages, e.g. `s3`. Default `blobs`. */
  readonly name?: string | undefined
  /** Microseconds since 1970; the system's clock if absent. */
  readonly clock?: Clock | undefined
  /** Who writes; recorded as asserter and retracter. */
  readonly asserter?: string | undefined
  /** Whether upload sidecars make sense. Default true; false for a place that ends with this process. */
  readonly remembersUploads?: boolean | undefined
  /** Hears what results do not tell, e.g. a damaged record that a list leaves out. */
  readonly onEvent?: EventListener | undefined
  /**
   * The key of an artifact's bytes, for a bucket that is laid out otherwise than `artifacts/<uuid>`; undefined for an id
   * that has no bytes here. New artifacts are stored where it says, too.
   */
  readonly locate?: ((artifact: { readonly id: Urn }) => string | undefined) | undefined
}

/**
 * Artifacts and aspects over a blob store, with nothing needed of it but creation that is atomic. Any number of processes
 * may work on the same store at once.
 */
export function blobBackend(blobs: BlobStore, o: BlobBackendOptions = {}): Backend {
  const engine = engineOf(blobs, o)
  const aspects = blobAspects(engine)
  const addRecord: BlobArtifactsOptions['addRecord'] = (draft, at, op) =>
    addAspect(engine, draft, { ...op, at })
  const findLost: BlobArtifactsOptions['findLost'] = (id, op) => findLostRecord(engine, id, op)
  return {
    artifacts: blobArtifacts(engine, { ...artifactOptions(o), aspects, addRecord, findLost }),
    aspects,
    ...maintenance(engine, artifactOptions(o)),
  }
}

/** Artifacts in a blob store whose records are kept elsewhere: by the platform, or in another store. */
export function blobArtifactStore(
  blobs: BlobStore,
  o: BlobBackendOptions & { readonly aspects: AspectStore },
): ArtifactStore {
  return blobArtifacts(engineOf(blobs, o), { ...artifactOptions(o), aspects: o.aspects })
}

export interface SweepOptions extends OpOptions {
  /** Of what began before: a day ago, for one. */
  readonly olderThan: Date
}

/**
 * Clears away what crashed uploads and adds have left in the indexes; their number. Safe at any time: who is still at it is
 * told `already-exists`. Reads each aspect that was added before and is current, twice.
 */
export const sweepHints = (blobs: BlobStore, { olderThan, ...o }: SweepOptions): Promise<number> =>
  sweepBefore(engineOf(blobs, {}), parseTime(olderThan, 'olderThan'), o)

const artifactOptions = ({ name, remembersUploads, locate }: BlobBackendOptions) => ({
  name: name ?? 'blobs',
  remembersUploads: remembersUploads ?? true,
  locate: locate ?? byUuid,
})

function engineOf(blobs: BlobStore, o: BlobBackendOptions): Engine {
  return {
    blobs,
    clock: o.clock ?? systemClock,
    uuid: () => crypto.randomUUID(),
    random: Math.random,
    pause: sleep,
    linked: new Set(),
    ...omitUndefined({ asserter: o.asserter, onEvent: o.onEvent }),
  }
}

function byUuid({ id }: { readonly id: Urn }): string | undefined {
  const uuid = artifactUuid(id)
  return uuid === undefined ? undefined : artifactKey(uuid)
}
