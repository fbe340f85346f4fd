import type { Urn } from '../model/urn.js'
import type { ArtifactStore, ByteSource, ChunkMemory, OpOptions, TransferOptions } from '../ports/index.js'
import type { AsyncHasher } from '../streams/hasher.js'

/** The interface of `#runtime`, in Node and elsewhere. Without a file system, the functions for files fail with `unsupported`. */
export interface Runtime {
  /** A hasher. Uses a thread if threads are available and `size` (bytes) is large enough. */
  asyncHasher(algorithm: 'md5' | 'sha256', size: number | undefined): AsyncHasher
  /** Whether the stream was read from or cancelled. */
  isDisturbed(stream: object): boolean
  /**
   * Allocates uninitialised memory. The caller must fill it before passing it on. Clearing the memory would take a quarter of the
   * time that reading a file takes.
   */
  allocate(size: number): Uint8Array<ArrayBuffer>
  /**
   * Sends a GET for a large body on a connection of its own. The body has chunks of 256 KiB. Returns undefined if the response is
   * not a plain 200 or 206 with a length (a redirect, an error, chunked, encoded); the caller must then send the request by other
   * means. The function is undefined on platforms without sockets.
   */
  readonly rawGet: ((request: RawRequest) => Promise<RawResponse | undefined>) | undefined
  /** As `rawGet`, with the body as a Node stream. */
  readonly rawBody: ((request: RawRequest) => Promise<RawBody | undefined>) | undefined
  /** Allows many listeners on a signal that is shared by concurrent requests, so that Node does not warn about a leak. */
  expectListeners(signal: AbortSignal): void
  /**
   * A source for a file. Its stream fails with `integrity` if the file changes after this call, and with the code of the system's
   * reason if the file can't be read any more. A file whose true size differs from its stat (/proc, /sys, some FUSE mounts) is read
   * into memory if it has up to 1 MiB. A larger one, a pipe and a device become a one-shot source of unknown size.
   *
   * @param argument the caller's name of the path, for error messages
   * @throws IvcapError `invalid-argument` if there is no such file or it is a directory; `permission-denied`, `unavailable`
   */
  fileSource(path: string, argument: string, o?: OpOptions): Promise<ByteSource>
  /**
   * Writes `body` to a temporary file beside `path`, then renames it to `path`, so that `path` never holds partial content. Creates
   * missing parent folders. Follows a symbolic link. After a failure, everything is as it was before.
   *
   * @returns the absolute path
   */
  saveAs(path: string, body: ReadableStream<Uint8Array>, o: WriteOptions): Promise<string>
  /**
   * As `saveAs`, with the content of another file on this machine. The new file gets the permissions of the file that it replaces,
   * else those that the umask leaves.
   *
   * @returns the absolute path; undefined if the file does not match `o`, or cannot be copied on this platform
   */
  copyAs(path: string, from: string, o: CopyOptions): Promise<string | undefined>
  /**
   * Copies the file of the source to a new file. Shares blocks if the file system supports it. Otherwise reads to the end and
   * writes, with one piece of 1 MiB read ahead; holes are preserved. An abort takes effect after each piece. A failure may leave a
   * file.
   *
   * @returns the bytes of the copy, and its SHA-256 in lower-case hex if requested
   * @throws IvcapError `integrity` if the source has become shorter or longer, or was replaced
   */
  copyFile(
    source: ByteSource,
    from: string,
    to: string,
    o: CopyFileOptions,
  ): Promise<{ readonly size: number; readonly sha256: string | undefined }>
  /**
   * Runs `work`. If it fails because too many files are open (EMFILE, ENFILE), waits in a queue until some are closed, then runs it
   * again. Gives up if no waiting operation got its files for 10 s. `work` must leave nothing open when it fails, and must be safe
   * to repeat.
   *
   * @throws IvcapError the error of `work`, with `attempts`
   */
  withOpenFiles<T>(work: () => Promise<T>, o: OpOptions): Promise<T>
  /** Writes `body` to a file in a new temporary folder. The file is named after `name`, as far as that is safe. */
  tempFile(name: string, body: ReadableStream<Uint8Array>, o: WriteOptions): Promise<TempFile>
  /**
   * Returns the path if it can be the path of a file: it must not be empty, a URL, or a folder (`results/`). Does not access the
   * file system.
   *
   * @throws IvcapError `invalid-argument`
   */
  checkFilePath(path: unknown, argument: string): string
  /** Whether two paths name the same file. Links and `..` are resolved if the files exist. */
  samePath(a: string, b: string): boolean
  /** The files of this machine as read-only artifacts `urn:file:///…`; undefined on a platform without files. */
  readonly mountedFiles: ArtifactStore | undefined
  uploadMemory(o: UploadMemoryOptions): UploadMemory
  /** An identifier of this process, for `isProcessGone` in this or another process. */
  processIdentity(): string
  /**
   * Whether the process that `owner` identifies has ended. A process that cannot be seen from here (on another host or in another
   * container) counts as ended `patience` ms after `lastChange` (ms since 1970), its last sign of activity.
   */
  isProcessGone(owner: string, lastChange: number, patience: number): boolean
  /** The user's cache folder for IVCAP, by the conventions of each platform; undefined if the user has none. */
  defaultStateDir(): string | undefined
}

export interface WriteOptions extends OpOptions {
  /** Receives the written chunks back, for reuse. */
  readonly memory?: ChunkMemory
}

export interface CopyFileOptions extends OpOptions {
  readonly digest: boolean
  /** Permission bits of the copy. @default what the umask leaves of 0666 */
  readonly mode?: number
  /** Called from time to time with the number of bytes copied so far. */
  report(bytes: number): void
}

/** See `Runtime.copyAs`. */
export interface CopyOptions extends OpOptions, Pick<TransferOptions, 'onProgress'> {
  /** Required bytes. */
  readonly size: number
  /** Required digest, in lower-case hex. */
  readonly sha256?: string | undefined
}

/** A GET request. `Host` and `Connection` are added to its headers. */
export interface RawRequest {
  /** `http:` or `https:`. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Aborts the exchange, including the body of the response. */
  readonly signal: AbortSignal
  /** Milliseconds without a byte, while the caller waits for one, after which the connection is closed. @default no limit */
  readonly idle?: number
  /** See `ReadOptions.memory`. */
  readonly memory?: ChunkMemory | undefined
  /**
   * An agent of node:http or node:https. Its connection options (`ca`, `cert`, `localAddress`…) apply; its sockets are not used.
   * Must not be an agent that connects in its own way, e.g. by a proxy.
   */
  readonly agent?: { readonly options: object } | undefined
}

/** A 200 or 206 response with a known body length. */
export interface RawResponse {
  readonly status: 200 | 206
  readonly headers: Headers
  /**
   * The next bytes of the body; undefined at its end. The caller owns their memory. A bounded number of chunks is read ahead.
   * Rejects with the system's error if the connection breaks.
   */
  next(): Promise<Uint8Array | undefined>
  /** Closes the connection. Resolves when it is closed. */
  cancel(): Promise<void>
}

/** The parts of a node:http body that are used here. */
export interface NodeBody extends AsyncIterable<Uint8Array> {
  readonly closed: boolean
  readonly destroyed: boolean
  readonly readableEnded: boolean
  destroy(): unknown
  pause(): unknown
  resume(): unknown
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown
  once(event: 'close' | 'end', listener: () => void): unknown
  once(event: 'error', listener: (error: unknown) => void): unknown
}

/** See `Runtime.rawBody`. */
export interface RawBody extends NodeBody {
  readonly statusCode: 200 | 206
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

export interface TempFile {
  /** Absolute path. */
  readonly path: string
  /** Removes the file and its folder. Idempotent. */
  remove(): Promise<void>
}

export interface UploadMemoryOptions {
  /** Folder for the cached stats of files; false disables it. @default the user's cache folder */
  readonly stateDir?: string | false | undefined
}

/** Remembers which file was uploaded as which artifact. Its failures to read or write never fail an upload. */
export interface UploadMemory {
  /**
   * Returns the artifact that the file's sidecar names, if the file has not changed since its upload. The file is recognised by its
   * stat, else by its MD5. The caller must check whether the artifact still exists.
   */
  recall(path: string, o?: OpOptions): Promise<Urn | undefined>
  /** Writes a sidecar beside the file. */
  remember(path: string, id: Urn, o?: RememberOptions): Promise<void>
}

export interface RememberOptions extends OpOptions {
  /** Lower-case hex, if it was computed during the upload. If absent, the file is read to compute it. */
  readonly md5?: string | undefined
  /** The uploaded source. If the file has changed since the source was made, nothing is remembered. */
  readonly source?: ByteSource | undefined
}
