import { type FileHandle, open } from 'node:fs/promises'
import type { ChunkMemory } from '../../ports/index.js'
import type { WriteOptions } from '../types.js'

/** Bytes per write. Each call has a cost, and a network delivers small pieces. */
const BATCH = 1 << 20
/** Maximum number of pieces per write. Systems accept no more than 1024. */
const MOST_PIECES = 256

/**
 * Writes all of `body` to a new file. While one batch is written, the next one is read. On a failure the body is cancelled and the
 * handle closed; the caller must remove the file. After an abort, rejects with the signal's reason.
 *
 * @param mode permission bits. @default what the umask of the process leaves
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
    // reads first: a body that waits for an open file must not be blocked by one that is held here
    let batch = await gather(reader)
    signal?.throwIfAborted()
    // the permissions are never wider than `mode`, not even for a moment, or if the file system refuses chmod
    const handle = await open(path, 'wx', mode)
    let writing = Promise.resolve()
    try {
      if (mode !== undefined) await handle.chmod(mode).catch(() => {})
      while (batch.length > 0) {
        writing = writeAll(handle, batch, memory)
        ;[batch] = await Promise.all([gather(reader), writing])
        // an abort ends the body early, which must not count as its end
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

/** Reads the pieces of the next write; returns none at the end of the body. */
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

/** The pieces without their first `count` bytes. */
function after(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count
  return pieces.flatMap((piece) => {
    const skipped = Math.min(skip, piece.byteLength)
    skip -= skipped
    return skipped === piece.byteLength ? [] : [piece.subarray(skipped)]
  })
}
