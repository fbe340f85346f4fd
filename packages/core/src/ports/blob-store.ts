import type { Timestamp } from '../model/time.js'
import type { ReadOptions } from './artifact-store.js'
import type { ByteSource } from './byte-source.js'
import type { ByteRange, OpOptions, TransferOptions } from './operation.js'

export interface BlobInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Changes whenever the bytes do. */
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
  /** With a delimiter: the folders, each with its final `/`, ascending. Absent or empty without one. */
  readonly prefixes?: readonly string[]
  /** Whether more items or prefixes follow the last of those in this page. */
  readonly more: boolean
}

export interface PutOptions extends OpOptions, Partial<TransferOptions> {
  readonly mode: 'create' | 'overwrite'
  readonly contentType?: string
}

/**
 * The smallest port: bytes under keys. Keys are printable ASCII, at most 1,024 bytes: segments of 1 to 255 joined by `/`,
 * and no key is a folder of another (`a` beside `a/b`), so that a folder of files can hold them too.
 */
export interface BlobStore {
  readonly uri: string
  /** `single-put`: creation is atomic only for blobs below the size that one request takes. */
  readonly atomicCreate: 'always' | 'single-put'
  /**
   * All or nothing at `key`. `create`: of many racing writers exactly one wins, the others get `already-exists`; a lost
   * answer is settled by reading back.
   */
  put(key: string, body: ByteSource, o: PutOptions): Promise<BlobInfo>
  /** @throws `not-found` */
  head(key: string, o: OpOptions): Promise<BlobInfo>
  /** @throws `not-found`, `invalid-argument`, `precondition-failed` as `ArtifactStore.read` does */
  get(key: string, o: ReadOptions): Promise<BlobContent>
  /**
   * Keys that start with `prefix` and come after `startAfter`, ascending in ASCII order. With a `delimiter`, keys that have a `/`
   * after the prefix are not listed; the part of each up to and including that `/` is listed once in `prefixes` instead, as
   * S3 does. Items and prefixes together are at most `limit`; `startAfter` applies to their merged order, and may be a prefix:
   * nothing below it is listed then.
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
  /** Deletes all of them with few requests, where the place can. Idempotent. Absent: the caller deletes one by one. */
  deleteMany?(keys: readonly string[], o: OpOptions): Promise<void>
}
