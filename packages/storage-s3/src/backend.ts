import {
  type ArtifactStore,
  type AspectStore,
  type Backend,
  checkOptions,
  type EventListener,
  type Urn,
} from '@ivcap/core/driver'
import { blobArtifactStore, blobBackend } from '@ivcap/core/engine'
import type { Clock, OptionNames } from '@ivcap/core/internal'
import { s3Blobs } from './blobs.js'
import { OPTIONS, type S3Options } from './options.js'

export interface S3BackendOptions extends S3Options {
  /** Who writes; recorded as asserter and retracter. */
  readonly asserter?: string | undefined
  /** Microseconds since 1970; default: the system's clock. */
  readonly clock?: Clock | undefined
  /** Hears what results do not tell: records that are left out of lists. @default no listener */
  readonly onEvent?: EventListener | undefined
  /**
   * The key of an artifact's bytes below the prefix, for a bucket that is laid out otherwise than `artifacts/<uuid>`; undefined
   * for an id that has no bytes here. New artifacts are stored where it says, too.
   */
  readonly locate?: ((artifact: { readonly id: Urn }) => string | undefined) | undefined
}

export interface S3ArtifactsOptions extends S3BackendOptions {
  /** Where the records of the artifacts are kept, e.g. `platform.aspects`. */
  readonly aspects: AspectStore
}

const BACKEND: OptionNames<S3BackendOptions> = {
  ...OPTIONS,
  asserter: true,
  clock: true,
  onEvent: true,
  locate: true,
}
const ARTIFACTS: OptionNames<S3ArtifactsOptions> = { ...BACKEND, aspects: true }

/** Artifacts and aspects in a bucket. Any number of processes may work on it at once. */
export function s3Backend(o: S3BackendOptions): Backend & { readonly close: () => Promise<void> } {
  const { asserter, clock, onEvent, locate, ...bucket } = checkOptions(o, BACKEND, 's3Backend')
  const blobs = s3Blobs(bucket)
  const backend = blobBackend(blobs, { asserter, clock, onEvent, locate, name: 's3' })
  const close = async () => {
    await backend.close()
    blobs.close()
  }
  return { ...backend, close }
}

/**
 * Artifacts whose bytes go straight to a bucket and from it, while another place keeps their records: the fast path inside a
 * platform's network. `new Ivcap({ ...platform, artifacts: s3Artifacts({ bucket, aspects: platform.aspects }) })`
 * Its connections are closed by its own `close()`, not by the client's.
 */
export function s3Artifacts(o: S3ArtifactsOptions): ArtifactStore & { readonly close: () => Promise<void> } {
  const { asserter, clock, onEvent, locate, aspects, ...bucket } = checkOptions(o, ARTIFACTS, 's3Artifacts')
  const blobs = s3Blobs(bucket)
  return {
    ...blobArtifactStore(blobs, { asserter, clock, onEvent, locate, aspects, name: 's3' }),
    close: async () => blobs.close(),
  }
}
