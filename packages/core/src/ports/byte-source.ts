export interface OpenOptions {
  readonly offset?: number
  /** Exclusive. */
  readonly end?: number
  readonly signal?: AbortSignal
  /**
   * Number of chunks that must stay valid: the source may reuse the memory of a chunk once this many later chunks were requested.
   * Absent: all stay valid. Fresh memory for each chunk of 1 MiB costs as much time as sending it.
   */
  readonly retainChunks?: number
}

/** Bytes that can be opened: from any offset and repeatedly if `replayable`, otherwise once from the start. */
export interface ByteSource {
  /** Bytes; absent if the size is known only at the end. */
  readonly size?: number
  /** False for a one-shot stream: `open` works once, at offset 0. */
  readonly replayable: boolean
  /** The value behind the source, for stores that can read it without a stream. */
  readonly native?:
    | {
        readonly kind: 'file'
        readonly path: string
        /**
         * No process writes to the file any more. A store on the same file system may hard-link it instead of copying it, and set
         * its modification time. The caller still owns the original path and may delete it at any time.
         */
        readonly sealed?: true
      }
    | { readonly kind: 'blob'; readonly blob: Blob }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  open(o?: OpenOptions): ReadableStream<Uint8Array>
  /** False if the content changed since it was opened. A store must call it before it reports success. */
  unchanged?(): Promise<boolean>
  /**
   * The SHA-256 of the whole content in lower-case hex, if the caller knows it: a store that records digests uses it instead of
   * computing one. Called when the bytes are stored.
   */
  sha256?(): Promise<string>
}

/** A pool of reusable buffers: a fresh buffer for each chunk keeps the garbage collector busy. */
export interface ChunkMemory {
  /** The buffer is not cleared. */
  take(size: number): Uint8Array<ArrayBuffer>
  /** Returns a buffer to the pool. Buffers that were not taken from this pool are ignored. */
  release(bytes: Uint8Array): void
}
