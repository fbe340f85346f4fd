import type { ArtifactRecord } from '../model/records.js'
import type { Timestamp } from '../model/time.js'
import type { Urn } from '../model/urn.js'
import type { ByteSource, ChunkMemory } from './byte-source.js'
import type { ByteRange, OpOptions, Page, TransferOptions } from './operation.js'

export interface ArtifactDraft {
  /**
   * The id to use, `urn:ivcap:artifact:<uuid>`, for a server that returns the id before the bytes arrive. If absent, the store
   * chooses an id. Fails with `already-exists` if the id is in use, and with `unsupported` if the store assigns its own ids. The
   * caller must ensure that no other call stores under the same id at the same time. Bytes that an interrupted call left under the
   * id are replaced.
   */
  readonly id?: Urn
  readonly name?: string
  readonly mimeType: string
  readonly policy?: Urn
  /** On backends other than the platform, the driver must add the artifact to the collection by a collection-item aspect. */
  readonly collection?: Urn
  /**
   * The job that produced the artifact. A store whose names are paths stores such an artifact separately from others with the same
   * name, and keeps the name in the record. Other stores ignore this.
   */
  readonly job?: Urn
}

export interface ArtifactQuery {
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
  readonly filter?: string
  /** A field in the spelling of IVCAP's API. @default `created-at` */
  readonly orderBy?: string
  readonly orderDesc: boolean
  readonly atTime?: Timestamp
}

export interface ArtifactContent {
  readonly record: ArtifactRecord
  /**
   * The bytes in `body`. `end` and `record.size` are absent if the store learns the size only at the end of the body. Size, etag,
   * range and body must describe the same version of the content: a store must take them from one response, never from an older
   * record.
   */
  readonly range: ByteRange
  /** Nothing is read before the first pull. `cancel()` resolves when the I/O has stopped. */
  readonly body: ReadableStream<Uint8Array>
}

export interface ReadOptions extends OpOptions {
  readonly range?: ByteRange
  /** Fails with `precondition-failed` if the content has another etag. */
  readonly ifMatch?: string
  /** Hint: the whole content is expected to be read as fast as possible; a store may use several connections and some tens of MiB. */
  readonly parallel?: boolean
  /**
   * Hint: a pool from which a store may take the memory of chunks; the reader returns it. A store that retains chunks must not
   * pass it on.
   */
  readonly memory?: ChunkMemory
}

export interface ArtifactStore {
  /** Name for messages: `local`, `memory`, `platform`, `s3`… */
  readonly name: string
  /** Identifies the storage, e.g. `https://api.example.com`, `s3://bucket/prefix`, `file:///data`. */
  readonly location: string
  /** Whether the client keeps upload sidecars beside source files; false if the store is this disk or this process. */
  readonly remembersUploads: boolean
  /**
   * Stores the bytes under a new id. When this returns, the artifact is stored. An aborted or failed call must leave nothing
   * visible. Must check the source's size against the bytes, and call `source.unchanged` at the end.
   */
  create(source: ByteSource, draft: ArtifactDraft, o: OpOptions & TransferOptions): Promise<ArtifactRecord>
  /** @throws `not-found` */
  stat(id: Urn, o: OpOptions): Promise<ArtifactRecord>
  /**
   * The signal applies until the body ends. The body must fail if it ends early, or if the content changes during the read.
   *
   * @throws `not-found`; `invalid-argument` for a range that starts at or after the end; `precondition-failed` if `ifMatch` is not
   * the etag
   */
  read(id: Urn, o: ReadOptions): Promise<ArtifactContent>
  list(q: ArtifactQuery, o: OpOptions): Promise<Page<ArtifactRecord>>
  /** Path of the file on this disk that holds the content; undefined if there is no such file. */
  localPath?(id: Urn): Promise<string | undefined>
  /** Whether a `urn:file:` id belongs to this store. If absent, none does. All other ids belong to the store. */
  contains?(id: Urn): boolean
}
