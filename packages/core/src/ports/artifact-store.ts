import type { ArtifactRecord } from '../model/records.js'
import type { Timestamp } from '../model/time.js'
import type { Urn } from '../model/urn.js'
import type { ByteSource, ChunkMemory } from './byte-source.js'
import type { ByteRange, OpOptions, Page, TransferOptions } from './operation.js'

export interface ArtifactDraft {
  /**
   * The id to store under, `urn:ivcap:artifact:<uuid>`: for a server that hands the id out before the bytes arrive. Absent:
   * the place chooses. Taken: `already-exists`. The caller sees to it that nobody stores under the same id at the same time;
   * bytes that an interrupted call has left there are replaced. A place that gives ids of its own says `unsupported`.
   */
  readonly id?: Urn
  readonly name?: string
  readonly mimeType: string
  readonly policy?: Urn
  /** Off the platform the driver adds the artifact to it by a collection-item aspect. */
  readonly collection?: Urn
  /**
   * The job whose output it is. A place where names are paths stores it apart from all that has the same name, and keeps the
   * name in its record; others ignore it.
   */
  readonly job?: Urn
}

export interface ArtifactQuery {
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
  readonly filter?: string
  /** Field as IVCAP's API names it, e.g. `created-at`; the place's default if absent: `created-at`. */
  readonly orderBy?: string
  readonly orderDesc: boolean
  readonly atTime?: Timestamp
}

export interface ArtifactContent {
  readonly record: ArtifactRecord
  /**
   * The bytes that `body` holds. `end` is absent if the place learns it only when the body ends; `record.size` is absent then,
   * too. Size, etag, range and body describe the same version of the content: a store takes them from one answer, never from
   * an older record.
   */
  readonly range: ByteRange
  /** Nothing is read before somebody pulls. `cancel()` resolves when the I/O has stopped. */
  readonly body: ReadableStream<Uint8Array>
}

export interface ReadOptions extends OpOptions {
  readonly range?: ByteRange
  /** Fails with `precondition-failed` where the content has another etag. */
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
  /** `local`, `memory`, `platform`, `s3`…: for messages. */
  readonly name: string
  /** Identity of the place, e.g. `https://api.example.com`, `s3://bucket/prefix`, `file:///data`. */
  readonly location: string
  /** Whether upload sidecars beside source files make sense here; false where the place is this disk or this process. */
  readonly remembersUploads: boolean
  /**
   * Stores the bytes under a new id. It has succeeded when it returns; an aborted or failed call leaves nothing visible.
   * Checks the source's size against the bytes, and `source.unchanged` at the end.
   */
  create(source: ByteSource, draft: ArtifactDraft, o: OpOptions & TransferOptions): Promise<ArtifactRecord>
  /** @throws `not-found` */
  stat(id: Urn, o: OpOptions): Promise<ArtifactRecord>
  /**
   * @throws `not-found`; `invalid-argument` for a range that starts at or past the end; `precondition-failed` when
   * `ifMatch` is not the etag. The signal rules until the body ends. A body that ends short or changes under way errors.
   */
  read(id: Urn, o: ReadOptions): Promise<ArtifactContent>
  list(q: ArtifactQuery, o: OpOptions): Promise<Page<ArtifactRecord>>
  /** The path of the file on this disk that holds the content; undefined if there is none. */
  localPath?(id: Urn): Promise<string | undefined>
  /** Whether a `urn:file:` id lies in this place. Absent: none does. Other ids are always the store's own. */
  contains?(id: Urn): boolean
}
