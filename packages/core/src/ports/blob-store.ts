import type { Timestamp } from '../model/time.js'
import type { ReadOptions } from './artifact-store.js'
import type { ByteSource } from './byte-source.js'
import type { ByteRange, OpOptions, TransferOptions } from './operation.js'

export interface BlobInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Must change whenever the bytes change. */
  readonly etag: string
  readonly lastModifiedAt?: Timestamp
}

export interface BlobContent {
  readonly info: BlobInfo
  readonly range: Required<ByteRange>
  readonly body: ReadableStream<Uint8Array>
}

export interface BlobPage {
  readonly items: readonly BlobInfo[]
  /** With a delimiter: the folders, each with its final `/`, ascending. Absent or empty without a delimiter. */
  readonly prefixes?: readonly string[]
  /** Whether more items or prefixes follow the last of those in this page. */
  readonly more: boolean
}

export interface PutOptions extends OpOptions, Partial<TransferOptions> {
  readonly mode: 'create' | 'overwrite'
  readonly contentType?: string
}

/**
 * The smallest port: it maps keys to bytes. Keys are printable ASCII of at most 1,024 bytes: segments of 1 to 255, joined by `/`.
 * No key is a folder of another (`a` beside `a/b`), so that keys can also be stored as files in folders.
 */
export interface BlobStore {
  readonly uri: string
  /** `single-put`: creation is atomic only for blobs that fit into one request. */
  readonly atomicCreate: 'always' | 'single-put'
  /**
   * Stores all bytes at `key` or none. With `create`, exactly one of several concurrent writers succeeds; the others fail with
   * `already-exists`. If a response is lost, the outcome is determined by reading back.
   */
  put(key: string, body: ByteSource, o: PutOptions): Promise<BlobInfo>
  /** @throws `not-found` */
  head(key: string, o: OpOptions): Promise<BlobInfo>
  /** @throws `not-found`, `invalid-argument`, `precondition-failed`, as `ArtifactStore.read` */
  get(key: string, o: ReadOptions): Promise<BlobContent>
  /**
   * Lists the keys that start with `prefix` and come after `startAfter`, in ascending ASCII order. With a `delimiter`, keys that
   * have a `/` after the prefix are not listed. Instead, the part up to and including that `/` is listed once in `prefixes`, as in
   * S3. `limit` bounds items and prefixes together. `startAfter` applies to their merged order, and may be a prefix: then no key
   * below it is listed.
   */
  list(
    q: {
      readonly prefix: string
      readonly startAfter?: string
      readonly limit: number
      readonly delimiter?: '/'
    },
    o: OpOptions,
  ): Promise<BlobPage>
  /** Idempotent. */
  delete(key: string, o: OpOptions): Promise<void>
  /** Deletes all keys with few requests. Idempotent. If absent, the caller must delete the keys one by one. */
  deleteMany?(keys: readonly string[], o: OpOptions): Promise<void>
}
