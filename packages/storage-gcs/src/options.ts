import type { Storage, StorageOptions } from '@google-cloud/storage'
import type { OptionNames } from '@ivcap/core/internal'
import { BUCKET_OPTIONS, type BucketOptions, MiB, type PartLimits } from '@ivcap/storage-common'

export interface GcsOptions extends BucketOptions {
  /** Your own client: its endpoint and credentials are used. The four options below are then ignored. */
  readonly client?: Storage | undefined
  /** URL of another server. @default `STORAGE_EMULATOR_HOST`, else Google's */
  readonly apiEndpoint?: string | undefined
  /** @default as the library finds it */
  readonly projectId?: string | undefined
  /**
   * A token is sent to a server other than Google's only if `credentials` or `keyFilename` is given.
   *
   * @default as the library finds them (`GOOGLE_APPLICATION_CREDENTIALS`, `gcloud`, the machine's account)
   */
  readonly credentials?: StorageOptions['credentials'] | undefined
  /** A file with the key of a service account. */
  readonly keyFilename?: string | undefined
  /** Bytes per request of uploads and downloads, a multiple of 256 KiB up to 1 GiB. @default 8 MiB */
  readonly partSize?: number | undefined
  /** Requests that one download sends at once. @default 4 */
  readonly concurrency?: number | undefined
}

export const OPTIONS: OptionNames<GcsOptions> = {
  ...BUCKET_OPTIONS,
  client: true,
  apiEndpoint: true,
  projectId: true,
  credentials: true,
  keyFilename: true,
}

const CHUNK_UNIT = 256 << 10
/** https://cloud.google.com/storage/docs/performing-resumable-uploads */
export const PARTS: PartLimits = {
  least: CHUNK_UNIT,
  most: 1024 * MiB,
  unit: CHUNK_UNIT,
  count: Number.POSITIVE_INFINITY,
}
