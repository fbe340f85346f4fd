import { IvcapError } from '../model/errors.js'
import { type PieceOptions, streamPieces } from './pieces.js'

/** The methods of an open file that are used here. Node's FileHandle has them, and so has that of memfs. */
export interface ReadableHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

export interface HandleOptions extends PieceOptions {
  /** Allocates a chunk; it need not be cleared. `allocate` of this package is faster in Node. @default cleared memory */
  readonly allocate?: (size: number) => Uint8Array
  /** See `OpenOptions`. */
  readonly retainChunks?: number | undefined
}

/**
 * Streams `[start, end)` of a file in chunks of 1 MiB, with one chunk read ahead. Opens the file at the first pull. The handle is
 * closed when the stream has ended or failed, or when `cancel()` has resolved. An abort fails the stream with the signal's reason
 * after the I/O has stopped. Each chunk has memory of its own, unless `retainChunks` is given.
 *
 * The stream fails with IvcapError `integrity` if the file ends before `end`.
 */
export function streamHandle(
  open: () => Promise<ReadableHandle>,
  o: HandleOptions,
): ReadableStream<Uint8Array> {
  const { allocate = cleared, retainChunks } = o
  return streamPieces(async () => {
    const handle = await open()
    const memory = retainChunks === undefined ? allocate : inTurn(retainChunks + 1, allocate)
    const read = (start: number, end: number) => readFully(handle, memory(end - start), start)
    return { read, close: () => handle.close() }
  }, o)
}

/** Returns `count` buffers in turn. */
function inTurn(count: number, allocate: (size: number) => Uint8Array): (size: number) => Uint8Array {
  const pieces: Uint8Array[] = []
  let turn = 0
  return (size) => {
    const at = turn++ % count
    const known = pieces[at]
    const piece = known !== undefined && known.byteLength >= size ? known : allocate(size)
    pieces[at] = piece
    return piece.subarray(0, size)
  }
}

const cleared = (size: number) => new Uint8Array(size)

/** Fills all of `bytes`, so that their previous content is never exposed. */
async function readFully(handle: ReadableHandle, bytes: Uint8Array, start: number): Promise<Uint8Array> {
  const end = start + bytes.byteLength
  let filled = 0
  while (filled < bytes.byteLength) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.byteLength - filled, start + filled)
    if (bytesRead === 0) {
      throw new IvcapError(
        'integrity',
        `the content ends at byte ${start + filled}, not at ${end} or later: it was cut short while it was read`,
      )
    }
    filled += bytesRead
  }
  return bytes
}
