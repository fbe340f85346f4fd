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

/** Memory that is used again: fresh memory for each chunk keeps the garbage collector busy. */
export interface ChunkMemory {
  /** What it holds at first is arbitrary. */
  take(size: number): Uint8Array<ArrayBuffer>
  /** Nobody needs the bytes any more. Those from elsewhere are left alone. */
  release(bytes: Uint8Array): void
}
