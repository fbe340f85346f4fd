import { pullStream } from './pull-stream.js'

/** Content that can be read at any position: an open file, a Blob, or bytes in memory. */
export interface PieceReader {
  /** Reads all bytes in `[start, end)`; rejects if there are fewer. */
  read(start: number, end: number): Promise<Uint8Array>
  close(): Promise<void>
}

export interface PieceOptions {
  readonly start: number
  /** Exclusive. */
  readonly end: number
  readonly signal?: AbortSignal | undefined
}

/** Bytes per chunk. Reading files in pieces of 64 KiB is much slower. */
export const PIECE = 1 << 20

/**
 * Streams `[start, end)` in chunks of 1 MiB. Opens the reader at the first pull. Reads one chunk ahead, so that the consumer can
 * hash or write a chunk during the next read. Closes the reader at the end, on an error, on `cancel()` and on an abort. `cancel()`
 * resolves when the reader is closed. An abort fails the stream with the signal's reason after reading has stopped.
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
    // the reader writes nothing, so a failure to close it can be ignored
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
