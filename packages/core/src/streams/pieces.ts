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
  let onAbort = () => {}

  const stop = () => {
    stopping ??= (async () => {
      signal?.removeEventListener('abort', onAbort)
      await settled(ahead)
      const reader = await settled(opening)
      // nothing was written through it: how closing went tells nobody anything
      await settled(reader?.close())
    })()
    return stopping
  }
  const read = (reader: PieceReader) => {
    const next = reader.read(position, Math.min(position + PIECE, end))
    // its failure is told at the pull that wants it, or by nobody after a cancel
    next.catch(() => {})
    return next
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => void stop().then(() => controller.error(signal?.reason))
      },
      async pull(controller) {
        try {
          signal?.throwIfAborted()
          if (opening === undefined) {
            signal?.addEventListener('abort', onAbort)
            opening = open()
          }
          const reader = await opening
          if (stopping !== undefined) return
          if (position >= end) {
            await stop()
            return controller.close()
          }
          ahead ??= read(reader)
          const chunk = await ahead
          if (stopping !== undefined) return
          position += chunk.byteLength
          ahead = position < end ? read(reader) : undefined
          if (ahead !== undefined) return controller.enqueue(chunk)
          await stop()
          controller.enqueue(chunk)
          controller.close()
        } catch (error) {
          await stop()
          throw signal?.aborted ? signal.reason : error
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  )
}

async function settled<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await promise
  } catch {
    return undefined
  }
}
