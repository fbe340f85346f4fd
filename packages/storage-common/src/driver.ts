import type { BlobStore, IvcapErrorCode, OpOptions, ReadOptions } from '@ivcap/core/driver'
import type { NodeBody } from '@ivcap/core/internal'

/**
 * Accesses one bucket with one protocol. Each method sends exactly one request. The store repeats requests that may be repeated,
 * and resolves lost responses. Keys are full keys, including the prefix, and were checked. A method fails with the error of the
 * protocol's library; `classify` maps that error. Once a method has rejected, it has stopped its I/O.
 */
export interface BucketDriver {
  /** For messages, e.g. `S3`. */
  readonly product: string
  /** For messages: the server's URL or name. */
  readonly server: string
  /** The bucket's URI without a prefix, e.g. `s3://bucket`. */
  readonly uri: string
  /** `always`: the condition of a creation also holds when an upload in parts completes. */
  readonly atomicCreate: BlobStore['atomicCreate']
  /** The protocol's name for the identifier of a version, e.g. `ETag`. */
  readonly versionName: string
  /** The protocol's names of the permissions that requests need. */
  readonly permissions: Readonly<Record<Permission, string>>
  /** What the user should check if the bucket does not exist. */
  readonly bucketRemedy: string
  readonly parts: PartLimits
  readonly uploads: PartUploads | ResumableUploads
  /** True if the underlying client may itself repeat a request. */
  readonly mayRepeat?: boolean
  /** The bucket's own checksum of contents, if it has one. Uploads and whole downloads are then compared with it. */
  checksum?(): Checksum
  head(key: string, o: RequestOptions): Promise<BlobState>
  /** Returns `[start, end)` of a blob, or less if the blob ends before. */
  get(key: string, range: GetRange, o: RequestOptions): Promise<GetResponse>
  /** Stores a blob with one request, atomically. With `create`, fails as `precondition-failed` if the key exists. */
  put(blob: PutRequest, o: RequestOptions): Promise<BlobState>
  list(query: ListQuery, o: RequestOptions): Promise<ListResponse>
  /** @param version deletes only this version */
  delete(key: string, o: RequestOptions, version?: string): Promise<unknown>
  /** Absent if the protocol has no bulk call. */
  readonly bulkDelete?: {
    /** Keys per request. */
    readonly limit: number
    delete(keys: readonly string[], o: RequestOptions): Promise<unknown>
  }
  /** Fails as `not-found` if the bucket does not exist. */
  findBucket(o: RequestOptions): Promise<unknown>
  /** Maps a failure to an error for the caller. The result must not contain any header, token or signature. */
  classify(error: unknown, context: ErrorContext): ErrorMapping
  /** Closes the connections, unless they belong to the caller. */
  close(): void
}

export type Permission = 'read' | 'write' | 'list' | 'delete' | 'listUploads' | 'listParts' | 'abortUpload'

export type RequestOptions = Pick<OpOptions, 'signal'> & Pick<ReadOptions, 'memory'>

/** The properties of a blob in a response. The store fails with `protocol` if a required size or etag is missing. */
export interface BlobState {
  readonly size?: number | undefined
  /** Without quotes. */
  readonly etag?: string | undefined
  /** The id that the blob's writer left in its metadata under `WRITER`. */
  readonly writer?: string | undefined
  /** The checksum of the whole content, see `BucketDriver.checksum`. */
  readonly checksum?: string | undefined
}

/** The properties that are stored with the bytes. */
export interface BlobHeaders {
  readonly key: string
  /** The request must fail as `precondition-failed` if the key exists. */
  readonly create: boolean
  /** The driver must store this in the blob's metadata under `WRITER`. */
  readonly writer: string
  readonly contentType?: string | undefined
}

export interface PutRequest extends BlobHeaders {
  readonly bytes: Uint8Array
  readonly checksum?: string | undefined
}

export interface GetRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
  /** The current version must have this etag. The store checks that, too. */
  readonly ifMatch?: string | undefined
  /** Requests this version even if there is a newer one. The store checks that, too. */
  readonly version?: string | undefined
  /** Hint: the response body is expected to be large. */
  readonly large: boolean
}

export interface GetResponse {
  readonly body: NodeBody
  readonly etag?: string | undefined
  /** The header `Content-Range`, if there is one. */
  readonly contentRange?: string | undefined
  /** Bytes of the body, if they are known and the body is exactly the stored content. */
  readonly contentLength?: number | undefined
  readonly checksum?: string | undefined
}

export interface ListQuery {
  readonly prefix: string
  readonly limit: number
  readonly delimiter?: '/' | undefined
  /** Lists keys after this one. Set for the first page, and if a page had no token. */
  readonly startAfter?: string | undefined
  readonly token?: string | undefined
}

export interface ListResponse {
  readonly items: readonly (BlobState & { readonly key: string })[]
  readonly prefixes?: readonly string[]
  readonly more: boolean
  /** The start of the next page. If absent, the next page starts after the last key. */
  readonly token?: string | undefined
}

export interface PartLimits {
  /** Bytes of a part, except for the last one: minimum, maximum, and unit. */
  readonly least: number
  readonly most: number
  readonly unit: number
  /** Maximum number of parts of one upload; Infinity if there is no limit. */
  readonly count: number
}

/** Uploads whose parts are sent in any order, several at once, and combined at the end. */
export interface PartUploads {
  readonly kind: 'parts'
  /** Resolves to undefined if the server returned no id. */
  begin(blob: BlobHeaders, o: RequestOptions): Promise<PartUpload | undefined>
  /** Absent if the server removes unfinished uploads by itself. */
  readonly unfinished?: UnfinishedUploads
}

export interface PartUpload {
  /** Absent if unfinished uploads can't be listed. */
  readonly id?: string
  /** @param number from 1 */
  send(number: number, bytes: Uint8Array, o: RequestOptions): Promise<unknown>
  /** Combines the parts that were sent into a blob, in the order of their numbers. */
  complete(o: RequestOptions): Promise<BlobState>
  /** Fails with status 404 if the upload is unknown, because it was completed or aborted. */
  abort(o: RequestOptions): Promise<unknown>
}

export interface UnfinishedUpload {
  readonly key: string
  readonly id: string
  readonly startedAt?: Date | undefined
}

export interface UnfinishedUploads {
  list(
    q: { readonly prefix: string; readonly token?: string | undefined },
    o: RequestOptions,
  ): Promise<{ readonly items: readonly UnfinishedUpload[]; readonly token?: string | undefined }>
  hasParts(upload: UnfinishedUpload, o: RequestOptions): Promise<boolean>
  abort(upload: UnfinishedUpload, o: RequestOptions): Promise<unknown>
}

/** Uploads whose bytes are sent in order, and whose status the server can report. */
export interface ResumableUploads {
  readonly kind: 'resumable'
  begin(blob: BlobHeaders, o: RequestOptions): Promise<ResumableUpload | undefined>
}

/** The number of bytes received so far, or the blob if the upload is complete. */
export type UploadStatus = { readonly received: number } | { readonly blob: BlobState }

/** If the server no longer knows the upload, methods fail with status 404 or 410. */
export interface ResumableUpload {
  /** @param total given with the last bytes: the checksum of the whole content */
  send(
    bytes: Uint8Array,
    from: number,
    total: { readonly checksum?: string | undefined } | undefined,
    o: RequestOptions,
  ): Promise<UploadStatus>
  status(o: RequestOptions): Promise<UploadStatus>
  /** Resolves to true if the server confirms that the upload has ended without being completed. */
  cancel(o: RequestOptions): Promise<boolean>
}

export interface Checksum {
  update(bytes: Uint8Array): void
  /** The checksum of all bytes so far, in the protocol's notation. */
  digest(): string
}

/** Describes a request, for messages. */
export interface ErrorContext {
  /** In words: `store`, `list blobs`. */
  readonly operation: string
  /** The caller's key, without the prefix. */
  readonly key?: string | undefined
  readonly permission?: Permission
  /** True if the request has a condition that not every server supports. */
  readonly conditional?: boolean
}

/** The meaning of a failed request for the caller. */
export interface ErrorMapping {
  readonly code: IvcapErrorCode
  /** What happened, and what to check. */
  readonly why: string
  readonly argument?: string
  /** @default depends on the code */
  readonly retryable?: boolean
  /** True if the server certainly did not receive the request. */
  readonly unsent?: boolean
  /** True if the response shows that the bucket exists. */
  readonly bucketExists?: boolean
  /** The server's own message, shortened. */
  readonly said?: string | undefined
  readonly status?: number | undefined
  /** Milliseconds. */
  readonly retryAfter?: number | undefined
  readonly cause?: unknown
}
