import { allocate } from '#files'
import { IvcapError } from '../model/errors.js'
import { type PieceOptions, streamPieces } from './pieces.js'

/** What is needed of an open file; Node's FileHandle is one, and memfs's. */
export interface ReadableHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

/**
 * `[start, end)` of a file, in chunks of 1 MiB with one read ahead. Opens at the first pull; the handle is closed when the
 * stream has ended, failed, or `cancel()` has resolved. An abort fails it with the signal's reason once the I/O has stopped.
 * Every chunk has memory of its own: nobody need hurry to use it.
 *
 * The stream fails with IvcapError `integrity` when the file ends before `end`.
 */
export function streamHandle(
  open: () => Promise<ReadableHandle>,
  o: PieceOptions,
): ReadableStream<Uint8Array> {
  return streamPieces(async () => {
    const handle = await open()
    return { read: (start, end) => readFully(handle, start, end), close: () => handle.close() }
  }, o)
}

async function readFully(handle: ReadableHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = allocate(end - start)
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
