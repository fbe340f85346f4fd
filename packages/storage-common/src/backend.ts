import type { ArtifactStore, AspectStore, Backend, EventListener, Urn } from '@ivcap/core/driver'
import { blobArtifactStore, blobBackend } from '@ivcap/core/engine'
import type { Clock, OptionNames } from '@ivcap/core/internal'
import type { BucketBlobs } from './store.js'

/** Options of a backend over a bucket. */
export interface RecordOptions {
  /** Recorded as asserter and retracter of the records that this process writes. */
  readonly asserter?: string | undefined
  /** Microseconds since 1970. @default the system's clock */
  readonly clock?: Clock | undefined
  /** Receives events about facts that results don't show, e.g. records that are left out of lists. @default none */
  readonly onEvent?: EventListener | undefined
  /**
   * Returns the key of an artifact's bytes below the prefix, for a bucket with another layout than `artifacts/<uuid>`; undefined
   * for an id that has no bytes here. New artifacts are stored under the same key.
   */
  readonly artifactKey?: ((artifact: { readonly id: Urn }) => string | undefined) | undefined
}

/** Options of artifacts in a bucket whose records are stored elsewhere. */
export interface ArtifactsOptions extends RecordOptions {
  /** The store of the artifacts' records, e.g. `platform.aspects`. */
  readonly aspects: AspectStore
}

export const RECORD_OPTIONS: OptionNames<RecordOptions> = {
  asserter: true,
  clock: true,
  onEvent: true,
  artifactKey: true,
}

export type Closable<T> = T & { readonly close: () => Promise<void> }
type Open<O> = (bucket: O) => BucketBlobs

export function bucketBackend<O extends RecordOptions>(
  name: string,
  open: Open<Omit<O, keyof RecordOptions>>,
  { asserter, clock, onEvent, artifactKey, ...bucket }: O,
): Closable<Backend> {
  const blobs = open(bucket)
  const backend = blobBackend(blobs, { asserter, clock, onEvent, artifactKey, name })
  const close = async () => {
    await backend.close()
    blobs.close()
  }
  return { ...backend, close }
}

export function bucketArtifacts<O extends ArtifactsOptions>(
  name: string,
  open: Open<Omit<O, keyof ArtifactsOptions>>,
  { asserter, clock, onEvent, artifactKey, aspects, ...bucket }: O,
): Closable<ArtifactStore> {
  const blobs = open(bucket)
  const artifacts = blobArtifactStore(blobs, { asserter, clock, onEvent, artifactKey, aspects, name })
  return { ...artifacts, close: async () => blobs.close() }
}
