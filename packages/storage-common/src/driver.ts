import type { BlobStore, IvcapErrorCode, OpOptions, ReadOptions } from '@ivcap/core/driver'
import type { NodeBody } from '@ivcap/core/internal'

/**
 * One bucket by one protocol. Each method sends exactly one request: the store repeats it where it may be repeated, and settles
 * lost answers. Keys are full keys, prefix included, and were checked. A method fails with whatever the protocol's library throws;
 * `classify` says what that means. Once a method has rejected, it has stopped its I/O.
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
  /** The protocol's name of what identifies a version, e.g. `ETag`. */
  readonly versionName: string
  /** The protocol's names of the permissions that requests need. */
  readonly permissions: Readonly<Record<Permission, string>>
  /** What to check where the bucket does not exist. */
  readonly bucketRemedy: string
  readonly parts: PartLimits
  readonly uploads: PartUploads | ResumableUploads
  /** True if the client below may repeat a request on its own account. */
  readonly mayRepeat?: boolean
  /** The bucket's own checksum of contents, if it has one: uploads and whole downloads are then compared with it. */
  checksum?(): Checksum
  head(key: string, o: RequestOptions): Promise<BlobState>
  /** `[start, end)` of a blob, or less if the blob ends before. */
  get(key: string, range: GetRange, o: RequestOptions): Promise<GetResponse>
  /** Stores a blob with one request, atomically. With `create`, fails as `precondition-failed` if there is one. */
  put(blob: PutRequest, o: RequestOptions): Promise<BlobState>
  list(query: ListQuery, o: RequestOptions): Promise<ListResponse>
  /** @param version delete only this one */
  delete(key: string, o: RequestOptions, version?: string): Promise<unknown>
  /** Absent if the protocol has no bulk call. */
  readonly bulkDelete?: {
    /** Keys per request. */
    readonly limit: number
    delete(keys: readonly string[], o: RequestOptions): Promise<unknown>
  }
  /** Fails as `not-found` if the bucket does not exist. */
  findBucket(o: RequestOptions): Promise<unknown>
  /** What a failure means. No header, token or signature may get into the answer. */
  classify(error: unknown, context: ErrorContext): ErrorMapping
  /** Closes the connections, unless they belong to the caller. */
  close(): void
}

export type Permission = 'read' | 'write' | 'list' | 'delete' | 'listUploads' | 'listParts' | 'abortUpload'

export type RequestOptions = Pick<OpOptions, 'signal'> & Pick<ReadOptions, 'memory'>

/** What is told of a blob. The store fails with `protocol` if size or etag are missing where they are needed. */
export interface BlobState {
  readonly size?: number | undefined
  /** Without quotes. */
  readonly etag?: string | undefined
  /** The id that the blob's writer left in its metadata under `WRITER`. */
  readonly writer?: string | undefined
  /** Of the whole content, see `BucketDriver.checksum`. */
  readonly checksum?: string | undefined
}

/** What is stored beside the bytes. */
export interface BlobHeaders {
  readonly key: string
  /** Fail as `precondition-failed` if there is a blob of this key. */
  readonly create: boolean
  /** To be stored in the blob's metadata under `WRITER`. */
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
  /** The current version must have this etag; the store checks that itself, too. */
  readonly ifMatch?: string | undefined
  /** This version is wanted even if there is a newer one; the store checks that itself, too. */
  readonly version?: string | undefined
  /** Hint: the response body is expected to be large. */
  readonly large: boolean
}

export interface GetResponse {
  readonly body: NodeBody
  readonly etag?: string | undefined
  /** The header `Content-Range`, if there is one. */
  readonly contentRange?: string | undefined
  /** Bytes of the body, if they are known and the body is what is stored. */
  readonly contentLength?: number | undefined
  readonly checksum?: string | undefined
}

export interface ListQuery {
  readonly prefix: string
  readonly limit: number
  readonly delimiter?: '/' | undefined
  /** Keys after this one. Given with the first page, and if a page had no token. */
  readonly startAfter?: string | undefined
  readonly token?: string | undefined
}

export interface ListResponse {
  readonly items: readonly (BlobState & { readonly key: string })[]
  readonly prefixes?: readonly string[]
  readonly more: boolean
  /** Where the next page begins. Absent: after the last key. */
  readonly token?: string | undefined
}

export interface PartLimits {
  /** Bytes of a part, but for the last: at least, at most, and a multiple of. */
  readonly least: number
  readonly most: number
  readonly unit: number
  /** Parts of one upload; Infinity if there is no limit. */
  readonly count: number
}

/** Uploads whose parts are sent in any order, several at once, and put together at the end. */
export interface PartUploads {
  readonly kind: 'parts'
  /** Resolves without an id where the server gave none. */
  begin(blob: BlobHeaders, o: RequestOptions): Promise<PartUpload | undefined>
  /** Absent if the protocol clears unfinished uploads away by itself. */
  readonly unfinished?: UnfinishedUploads
}

export interface PartUpload {
  /** Absent if unfinished uploads can't be listed. */
  readonly id?: string
  /** @param number from 1 */
  send(number: number, bytes: Uint8Array, o: RequestOptions): Promise<unknown>
  /** Makes a blob of the parts that were sent, by their numbers. */
  complete(o: RequestOptions): Promise<BlobState>
  /** Fails with status 404 if the upload is unknown, because it was completed or ended. */
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

/** Uploads whose bytes are sent in their order, and which the server can say the state of. */
export interface ResumableUploads {
  readonly kind: 'resumable'
  begin(blob: BlobHeaders, o: RequestOptions): Promise<ResumableUpload | undefined>
}

/** So many bytes were received, or all, so that there is a blob. */
export type UploadStatus = { readonly received: number } | { readonly blob: BlobState }

/** Once the server no longer knows the upload, methods fail with status 404 or 410. */
export interface ResumableUpload {
  /** @param total bytes and checksum of the whole, with the last bytes */
  send(
    bytes: Uint8Array,
    from: number,
    total: { readonly checksum?: string | undefined } | undefined,
    o: RequestOptions,
  ): Promise<UploadStatus>
  status(o: RequestOptions): Promise<UploadStatus>
  /** Whether the server confirms that the upload has ended, and was not completed. */
  cancel(o: RequestOptions): Promise<boolean>
}

export interface Checksum {
  update(bytes: Uint8Array): void
  /** Of all bytes so far, as the protocol writes it. */
  digest(): string
}

/** What a request is about, for messages. */
export interface ErrorContext {
  /** In words: `store`, `list blobs`. */
  readonly operation: string
  /** As the caller knows it. */
  readonly key?: string | undefined
  readonly permission?: Permission
  /** Whether the request has a condition that not every server knows. */
  readonly conditional?: boolean
}

/** What a failed request means to the caller. */
export interface ErrorMapping {
  readonly code: IvcapErrorCode
  /** What happened, and what to check. */
  readonly why: string
  readonly argument?: string
  /** @default by the code */
  readonly retryable?: boolean
  /** Whether it is certain that the server never got the request. */
  readonly unsent?: boolean
  /** Whether the answer shows that the bucket exists. */
  readonly bucketExists?: boolean
  /** The server's own words, short. */
  readonly said?: string | undefined
  readonly status?: number | undefined
  /** Milliseconds. */
  readonly retryAfter?: number | undefined
  readonly cause?: unknown
}
