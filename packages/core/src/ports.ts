/**
 * The ports: what a backend implements. The client in front of them validates input, fills defaults, follows pages,
 * merges timeout and signal, and wraps errors once; a driver gets complete, valid input and says so in its doc comment.
 */
import type { EventListener } from './model/events.js'
import type { FailureLog } from './model/failures.js'
import type { JsonObject } from './model/json.js'
import type { Problem, VerifyOptions } from './model/problems.js'
import type { ArtifactRecord, AspectRecord } from './model/records.js'
import type { JobRecord, ServiceRecord } from './model/services.js'
import type { Timestamp } from './model/time.js'
import type { Urn } from './model/urn.js'

/** What the client hands down with every call. A driver passes all of it on to the stores that it uses itself. */
export interface OpOptions {
  /** When it aborts, the operation stops its I/O and rejects with `signal.reason`, unwrapped. */
  readonly signal?: AbortSignal
  /** Hears what the result does not tell. */
  readonly onEvent?: EventListener
  /** Collects the failures of this call, so that an error or a timeout can name the first cause. */
  readonly failures?: FailureLog
  /**
   * Attempts after the first, for each request of the call. There is one budget a call: the layer that sends a request
   * repeats it, and marks its error with `attempts` when they are used up; no layer above repeats it then. A driver passes the
   * budget on with every request that it makes.
   *
   * @default the driver's own; 5 in this workspace
   */
  readonly retries?: number
  /** Milliseconds before the first of those attempts; doubles each time, jittered. @default the driver's own */
  readonly retryDelay?: number
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Opaque; absent on the last page. */
  readonly cursor?: string
}

/** Bytes from `start` up to, not including, `end`; no `end`: to the end of the content. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

export interface TransferOptions {
  /** Bytes per part or request, where the place transfers in parts. */
  readonly chunkSize?: number
  /** Attempts after the first. */
  readonly retries: number
  /** Base delay in ms; exponential, jittered. */
  readonly retryDelay: number
  /**
   * Bytes that the other side has accepted so far, and the total where it is known. Never goes back, reaches the total
   * once, at the end, and is silent after an abort. `progressOf` of this package keeps that for a driver.
   */
  readonly onProgress?: (accepted: number, total?: number) => void
}

export interface OpenOptions {
  readonly offset?: number
  /** Exclusive. */
  readonly end?: number
  readonly signal?: AbortSignal
  /**
   * Chunks that have to stay as they are: the memory of one may be used again once so many more have been asked for. Absent:
   * all stay. What is allocated and left behind, 1 MiB at a time, costs as much as sending it.
   */
  readonly keep?: number
}

/** Bytes that can be opened, from the start or, where `replayable`, from any offset as often as needed. */
export interface ByteSource {
  /** Bytes; absent: known only at the end. */
  readonly size?: number
  /** false: a one-shot stream; `open` works once, at offset 0. */
  readonly replayable: boolean
  /** What it is made of, for places that have a shorter way than a stream. */
  readonly native?:
    | {
        readonly kind: 'file'
        readonly path: string
        /**
         * Nobody writes to the file any more: a store on the same file system may give it a second name instead of copying
         * it, and set its time of change. The first name stays its giver's, to be removed whenever he likes.
         */
        readonly sealed?: true
      }
    | { readonly kind: 'blob'; readonly blob: Blob }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  open(o?: OpenOptions): ReadableStream<Uint8Array>
  /** Asked before success is declared: a file may have changed while it was read. */
  unchanged?(): Promise<boolean>
  /**
   * SHA-256 of all of it in lower-case hex, where its giver has it by other means: a place that records digests takes this one
   * instead of computing it. Asked when the bytes are stored.
   */
  sha256?(): Promise<string>
}

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

/** Memory that is used again: fresh memory for each chunk keeps the garbage collector busy. */
export interface ChunkMemory {
  /** What it holds at first is arbitrary. */
  take(size: number): Uint8Array<ArrayBuffer>
  /** Nobody needs the bytes any more. Those from elsewhere are left alone. */
  giveBack(bytes: Uint8Array): void
}

export interface ReadOptions extends OpOptions {
  readonly range?: ByteRange
  /** Fails with `precondition-failed` where the content has another etag. */
  readonly ifMatch?: string
  /** The whole is wanted as fast as it comes: several connections and some tens of MiB are welcome, where that helps. */
  readonly parallel?: boolean
  /**
   * Where the memory of chunks may be taken from, instead of fresh one: who reads them will give it back. Not to be passed on
   * by a store that keeps chunks for itself.
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
  /** The file on this disk that holds the content, where there is one. */
  localPath?(id: Urn): Promise<string | undefined>
  /** Whether a `urn:file:` id lies in this place. Absent: none does. Other ids are always the store's own. */
  owns?(id: Urn): boolean
}

export interface AspectDraft {
  readonly entity: string
  readonly schema: string
  /** Has `$schema`, equal to `schema`, and no `$entity`. */
  readonly content: JsonObject
  readonly policy?: Urn
}

export interface AspectQuery {
  readonly entity?: string
  /** A schema, or with `%` (any run of characters) a pattern of them. */
  readonly schema?: string
  /** SQL/JSON path that finds something in the content; that has `$schema` and `$entity` here. */
  readonly contentPath?: string
  readonly filter?: string
  /** In force at that time; absent: not closed, whatever the clock says. */
  readonly atTime?: Timestamp
  /** Comma list of fields, as IVCAP's API names them. */
  readonly orderBy: string
  readonly orderDirection: 'ASC' | 'DESC'
  readonly includeContent: boolean
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
}

export interface AspectStore {
  /**
   * `replace` also closes the records of the same (entity, schema) that are in force. Fields that the place doesn't tell
   * are absent in the answer.
   */
  assert(draft: AspectDraft, mode: 'add' | 'replace', o: OpOptions): Promise<AspectRecord>
  /**
   * Adds each, as `assert` does, in their order: for places where many together cost less than one by one. The client hands
   * over some hundreds at a time. The first failure ends it; those added before stay.
   */
  assertMany?(drafts: readonly AspectDraft[], o: OpOptions): Promise<readonly AspectRecord[]>
  /** Also of a closed one. @throws `not-found` */
  get(id: Urn, o: OpOptions): Promise<AspectRecord>
  list(q: AspectQuery, o: OpOptions): Promise<Page<AspectRecord>>
  /** Closes the record; done already is done. @throws `not-found` */
  retract(id: Urn, o: OpOptions): Promise<void>
}

export interface ServiceQuery {
  /** Items in this page: 1–50. */
  readonly limit: number
  readonly cursor?: string
  readonly filter?: string
  /** Field as IVCAP's API names it; the place's default if absent. */
  readonly orderBy?: string
  readonly orderDesc: boolean
  readonly atTime?: Timestamp
}

/** In the order in which they were requested, unless told otherwise. */
export type JobQuery = ServiceQuery

export interface ServiceStore {
  /** @throws `not-found` */
  get(id: Urn, o: OpOptions): Promise<ServiceRecord>
  list(q: ServiceQuery, o: OpOptions): Promise<Page<ServiceRecord>>
  /**
   * Starts a job. It is there for good when this returns, whatever becomes of it. Not repeated where a lost answer leaves
   * open whether there is one.
   *
   * @param o `timeout`: milliseconds that the answer may wait for the job to finish; 0 or absent: it comes at once
   * @throws `not-found` without such a service; `missing-argument`, `invalid-argument` for wrong parameters
   */
  createJob(
    service: Urn,
    params: JsonObject,
    o: OpOptions & { readonly timeout?: number },
  ): Promise<JobRecord>
  /** With its result, once there is one. @throws `not-found` */
  getJob(service: Urn, job: Urn, o: OpOptions): Promise<JobRecord>
  listJobs(service: Urn, q: JobQuery, o: OpOptions): Promise<Page<JobRecord>>
  /**
   * Runs `wait`, which waits for a job. Present where the caller may itself be a job that takes up one of a limited number of
   * places: it gives its place to others meanwhile.
   */
  whileWaiting?<T>(wait: () => Promise<T>): Promise<T>
  /** Takes no more jobs, and lets those that run here end. */
  close?(): Promise<void>
}

/** A plain object, so that stores of different places can be mixed: `{ ...platform, artifacts }`. */
export interface Backend {
  readonly artifacts: ArtifactStore
  readonly aspects: AspectStore
  /** Absent where there is nothing to run services. */
  readonly services?: ServiceStore
  /** Datalog, on the platform only. */
  readonly search?: (
    query: string,
    o: OpOptions & { readonly atTime?: Timestamp; readonly limit: number },
  ) => Promise<readonly JsonObject[]>
  /** What is damaged or orphaned here. Reads everything, changes nothing. */
  readonly verify?: (o: OpOptions & VerifyOptions) => Promise<readonly Problem[]>
  /** Rebuilds what can be derived from the records, deletes no content; returns what it mended. */
  readonly repair?: (o: OpOptions) => Promise<readonly Problem[]>
  readonly close?: () => Promise<void>
}

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
