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
  /** Keys that start with `prefix` and come after `startAfter`, ascending in ASCII order, `limit` of them at the most. */
  list(
    q: { readonly prefix: string; readonly startAfter?: string; readonly limit: number },
    o: OpOptions,
  ): Promise<BlobPage>
  /** Done already is done. */
  delete(key: string, o: OpOptions): Promise<void>
}
