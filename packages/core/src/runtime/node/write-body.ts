import { type FileHandle, open } from 'node:fs/promises'
import type { ChunkMemory } from '../../ports/index.js'
import type { WriteOptions } from '../types.js'

/** Bytes per write: calls cost more than bytes, and what comes from a network comes in small pieces. */
const BATCH = 1 << 20
/** Pieces per write; systems take no more than 1024. */
const MOST_PIECES = 256

/**
 * Writes all of `body` to a new file, one write under way while the next bytes come. On a failure the body is cancelled and the handle closed; the file is the caller's to
 * remove. Rejects with the signal's reason after an abort.
 *
 * @param mode Permission bits; absent: what the process's umask leaves.
 */
export async function writeBody(
  path: string,
  body: ReadableStream<Uint8Array>,
  { signal, mode, memory }: WriteOptions & { readonly mode?: number | undefined },
): Promise<void> {
  const reader = body.getReader()
  const onAbort = () => void reader.cancel(signal?.reason).catch(() => {})
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', onAbort)
    // first: a body that waits for a file of its own must not hold one here meanwhile
    let batch = await gather(reader)
    signal?.throwIfAborted()
    // never wider than `mode`, even for a moment, or where the file system knows no permissions
    const handle = await open(path, 'wx', mode)
    let writing = Promise.resolve()
    try {
      if (mode !== undefined) await handle.chmod(mode).catch(() => {})
      while (batch.length > 0) {
        writing = writeAll(handle, batch, memory)
        ;[batch] = await Promise.all([gather(reader), writing])
        // an abort ends the body early: that end is none
        signal?.throwIfAborted()
      }
    } finally {
      await writing.catch(() => {})
      await handle.close()
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {})
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** The next pieces that make a write worth while; none at the end. */
async function gather(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for (let bytes = 0; bytes < BATCH && pieces.length < MOST_PIECES; ) {
    const { done, value } = await reader.read()
    if (done) break
    if (value.byteLength === 0) continue
    pieces.push(value)
    bytes += value.byteLength
  }
  return pieces
}

async function writeAll(
  handle: FileHandle,
  pieces: readonly Uint8Array[],
  memory: ChunkMemory | undefined,
): Promise<void> {
  for (let left = pieces; left.length > 0; ) left = after(left, (await handle.writev(left)).bytesWritten)
  for (const piece of pieces) memory?.release(piece)
}

/** What is left of the pieces without their first `count` bytes. */
function after(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count
  return pieces.flatMap((piece) => {
    const skipped = Math.min(skip, piece.byteLength)
    skip -= skipped
    return skipped === piece.byteLength ? [] : [piece.subarray(skipped)]
  })
}
