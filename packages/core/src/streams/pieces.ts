import { pullStream } from './pull-stream.js'

/** Something that can be read at any position: an open file, a Blob, bytes in memory. */
export interface PieceReader {
  /** All bytes from `start` up to `end`; rejects where there are fewer. */
  read(start: number, end: number): Promise<Uint8Array>
  close(): Promise<void>
}

export interface PieceOptions {
  readonly start: number
  /** Exclusive. */
  readonly end: number
  readonly signal?: AbortSignal | undefined
}

/** Bytes per chunk. Files read in pieces of 64 KiB come at a fraction of the speed. */
export const PIECE = 1 << 20

/**
 * `[start, end)` as a stream of 1 MiB chunks. Opens at the first pull, reads one chunk ahead (so that whoever hashes or
 * writes a chunk does so beside the next read), and closes at the end, on an error, on `cancel()`, which resolves when it
 * is closed, and on an abort, which fails the stream with the signal's reason once the reading has stopped.
 */
export function streamPieces(
  open: () => Promise<PieceReader>,
  { start, end, signal }: PieceOptions,
): ReadableStream<Uint8Array> {
  let opening: Promise<PieceReader> | undefined
  let ahead: Promise<Uint8Array> | undefined
  let position = start
  let stopping: Promise<void> | undefined

  const close = async () => {
    await settled(ahead)
    const reader = await settled(opening)
    // nothing was written through it, so a failure to close it loses nothing
    await settled(reader?.close())
  }
  const stop = () => {
    stopping ??= close()
    return stopping
  }
  const read = (reader: PieceReader) => {
    const piece = reader.read(position, Math.min(position + PIECE, end))
    // a failure is reported by the `next` that awaits this piece; after a cancel it is ignored
    piece.catch(() => {})
    return piece
  }
  const next = async () => {
    opening ??= open()
    const reader = await opening
    if (stopping !== undefined) return { done: true }
    if (position < end) ahead ??= read(reader)
    const chunk = await ahead
    position += chunk?.byteLength ?? 0
    ahead = position < end && stopping === undefined ? read(reader) : undefined
    const done = ahead === undefined
    if (done) await stop()
    return { chunk, done }
  }
  return pullStream({ next, stop, signal })
}

async function settled<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await promise
  } catch {
    return undefined
  }
}
