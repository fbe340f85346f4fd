import { IvcapError } from '../model/errors.js'
import { type PieceOptions, streamPieces } from './pieces.js'

/** What is needed of an open file; Node's FileHandle is one, and memfs's. */
export interface ReadableHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

export interface HandleOptions extends PieceOptions {
  /** Memory for a chunk, cleared or not; default: cleared. `allocate` of this package is quicker in Node. */
  readonly allocate?: (size: number) => Uint8Array
  /** See `OpenOptions`. */
  readonly retainChunks?: number | undefined
}

/**
 * `[start, end)` of a file, in chunks of 1 MiB with one read ahead. Opens at the first pull; the handle is closed when the
 * stream has ended, failed, or `cancel()` has resolved. An abort fails it with the signal's reason once the I/O has stopped.
 * Every chunk has memory of its own, unless `retainChunks` says how many are enough.
 *
 * The stream fails with IvcapError `integrity` when the file ends before `end`.
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

/** So many pieces of memory, one after the other, again and again. */
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

/** Fills all of `bytes`, so that what they held before is seen by nobody. */
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
