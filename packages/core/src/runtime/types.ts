import type { Urn } from '../model/urn.js'
import type { ArtifactStore, ByteSource, ChunkMemory, OpOptions, TransferOptions } from '../ports/index.js'
import type { AsyncHasher } from '../streams/hasher.js'

/** What `#runtime` offers, in Node and elsewhere. Elsewhere there are no files: those parts fail with `unsupported`. */
export interface Runtime {
  /** In a thread of its own, where there are threads and the `size` in bytes is worth one. */
  asyncHasher(algorithm: 'md5' | 'sha256', size: number | undefined): AsyncHasher
  /** Whether somebody has read from the stream, or it was cancelled. */
  isDisturbed(stream: object): boolean
  /**
   * Memory for bytes that are about to be read, to be filled before anybody else sees it: what it holds at first is
   * arbitrary, since to clear it takes a quarter of the time of reading a file.
   */
  allocate(size: number): Uint8Array<ArrayBuffer>
  /**
   * A GET for a large body, on a connection of its own, in chunks of 256 KiB. Returns undefined if the response is not a plain
   * 200 or 206 with a length (a redirect, an error, chunked, encoded): send the request by other means then. Undefined where
   * there are no sockets.
   */
  readonly rawGet: ((request: RawRequest) => Promise<RawResponse | undefined>) | undefined
  /** As `rawGet`, with the body as a stream of Node's. */
  readonly rawBody: ((request: RawRequest) => Promise<RawBody | undefined>) | undefined
  /** One signal rules many requests at once: Node is told that its listeners are no leak. */
  expectListeners(signal: AbortSignal): void
  /**
   * A file as a source. Its stream fails with `integrity` if the file is no longer what it was now, with the code of the
   * system's reason if it can't be read any more. A file whose size is not what its stat says (/proc, /sys, some FUSE mounts)
   * is read to its end: into memory up to 1 MiB, else as a one-shot source of unknown size, as a pipe or a device is.
   *
   * @param argument The caller's name for the path, for messages.
   * @throws IvcapError `invalid-argument` if there is no such file or it is a directory; `permission-denied`, `unavailable`
   */
  fileSource(path: string, argument: string, o?: OpOptions): Promise<ByteSource>
  /**
   * Writes `body` to a temporary sibling, then renames that to `path`, so that `path` only ever holds the whole. Parents are
   * made. A symbolic link is followed. A failure leaves what was there before, and nothing else.
   *
   * @returns the absolute path
   */
  saveAs(path: string, body: ReadableStream<Uint8Array>, o: WriteOptions): Promise<string>
  /**
   * The same with the bytes of another file of this machine. The new file has the permissions of what it replaces, else those
   * that the umask leaves.
   *
   * @returns the absolute path; undefined where the file isn't what `o` says, or can't be had in this way
   */
  copyAs(path: string, from: string, o: CopyOptions): Promise<string | undefined>
  /**
   * Copies the file that the source stands for to a new one. Shares blocks where the file system can, else reads to the end
   * and writes, with one piece of 1 MiB read ahead; what is a hole in the source stays one. An abort is heard after each piece.
   * A failure may leave a file.
   *
   * @returns bytes of the copy, and their SHA-256 in lower-case hex, if it was asked for
   * @throws IvcapError `integrity` if the source has become shorter, longer, or another one
   */
  copyFile(
    source: ByteSource,
    from: string,
    to: string,
    o: CopyFileOptions,
  ): Promise<{ readonly size: number; readonly sha256: string | undefined }>
  /**
   * Runs `work`. If it fails because too many files are open (EMFILE, ENFILE), waits in line until some are closed, and runs it
   * again; gives up when no operation that waits got its files for 10 s. `work` must leave nothing open when it fails, and must
   * be safe to repeat.
   *
   * @throws IvcapError as `work` threw it, with `attempts`
   */
  withOpenFiles<T>(work: () => Promise<T>, o: OpOptions): Promise<T>
  /** Writes `body` to a file in a temporary folder of its own, named after `name` as far as that is safe. */
  tempFile(name: string, body: ReadableStream<Uint8Array>, o: WriteOptions): Promise<TempFile>
  /**
   * The path, if it can be that of a file: neither empty, nor a URL, nor that of a folder (`results/`). Nothing is looked up.
   *
   * @throws IvcapError `invalid-argument`
   */
  checkFilePath(path: unknown, argument: string): string
  /** Whether two paths name the same file: links and `..` are resolved where the files exist. */
  samePath(a: string, b: string): boolean
  /** The files of this machine as read-only artifacts `urn:file:///…`; undefined where there are none. */
  readonly mountedFiles: ArtifactStore | undefined
  uploadMemory(o: UploadMemoryOptions): UploadMemory
  /** This process, as `isProcessGone` recognises it, there or in another one. */
  processIdentity(): string
  /**
   * Whether the process that `owner` names has ended; one that can't be seen from here (another host or container) counts as
   * ended `patience` ms after `lastChange` (ms since 1970), the last sign of it.
   */
  isProcessGone(owner: string, lastChange: number, patience: number): boolean
  /** The user's cache folder for IVCAP, as each system has it; undefined where there is none. */
  defaultStateDir(): string | undefined
}

export interface WriteOptions extends OpOptions {
  /** Gets back what was written. */
  readonly memory?: ChunkMemory
}

export interface CopyFileOptions extends OpOptions {
  readonly digest: boolean
  /** Permission bits of the copy; default: what the umask leaves of 0666. */
  readonly mode?: number
  /** Hears now and then how many bytes there are. */
  report(bytes: number): void
}

/** See `Runtime.copyAs`. */
export interface CopyOptions extends OpOptions, Pick<TransferOptions, 'onProgress'> {
  /** Bytes that there must be. */
  readonly size: number
  /** That they must have, in lower-case hex. */
  readonly sha256?: string | undefined
}

/** A GET. `Host` and `Connection` are added to its headers. */
export interface RawRequest {
  /** `http:` or `https:`. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Ends the exchange, the response's body included. */
  readonly signal: AbortSignal
  /** Milliseconds without a byte, while the caller waits for one, after which the connection is closed. @default no limit */
  readonly idle?: number
  /** See `ReadOptions.memory`. */
  readonly memory?: ChunkMemory | undefined
  /**
   * An agent of node:http or node:https. Its options for connections (`ca`, `cert`, `localAddress`…) apply; its sockets are not
   * used. An agent that connects in its own way, by a proxy, must not be given.
   */
  readonly agent?: { readonly options: object } | undefined
}

/** A 200 or 206 whose head states the length of its body. */
export interface RawResponse {
  readonly status: 200 | 206
  readonly headers: Headers
  /**
   * The next bytes of the body; undefined at its end. The caller owns their memory. At most some chunks are read ahead. Rejects
   * with the system's error if the connection breaks.
   */
  next(): Promise<Uint8Array | undefined>
  /** Resolves when the connection is closed. */
  cancel(): Promise<void>
}

/** The parts of a body of node:http that are used. */
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
  /** Absolute. */
  readonly path: string
  /** Removes the file and its folder; done already is done. */
  remove(): Promise<void>
}

export interface UploadMemoryOptions {
  /** Where file stats are remembered; default: the user's cache folder; false: nowhere. */
  readonly stateDir?: string | false | undefined
}

/** Which files were uploaded as which artifact. Nothing that it can't read or write ever stops an upload. */
export interface UploadMemory {
  /**
   * The artifact that the file's sidecar names, if the file is still what was uploaded: recognised by its stat, else by its
   * MD5. Whether that artifact still exists is for the caller to ask.
   */
  recall(path: string, o?: OpOptions): Promise<Urn | undefined>
  /** Leaves a sidecar beside the file. */
  remember(path: string, id: Urn, o?: RememberOptions): Promise<void>
}

export interface RememberOptions extends OpOptions {
  /** Lower-case hex, where it was computed while the file was uploaded; absent: the file is read for it. */
  readonly md5?: string | undefined
  /** What was uploaded: nothing is remembered if the file has changed since that source was made. */
  readonly source?: ByteSource | undefined
}
