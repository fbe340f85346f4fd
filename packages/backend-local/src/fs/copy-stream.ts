import type { ByteSource, OpOptions } from '@ivcap/core/driver'
import { allocate } from '@ivcap/core/internal'
import type { LocalFileHandle } from './local-fs.js'

/** Bytes per write. Small chunks are joined, because a call costs more than copying. */
const BATCH = 1024 * 1024
/** Minimum size of the buffer: a source may have more bytes than its `size`. */
const LEAST = 4096

/** Size of the buffer for small chunks, in bytes. */
const roomFor = (size = BATCH): number => Math.min(Math.max(size, LEAST), BATCH)

/**
 * Writes all of `source` at the start of a file. The next bytes are fetched (and hashed, if the source does that) during each
 * write. Returns the number of bytes. Calls `report` with the number of bytes written so far.
 */
export async function copyStream(
  source: ByteSource,
  handle: LocalFileHandle,
  o: OpOptions & { readonly report: (written: number) => void },
): Promise<number> {
  const { signal, report } = o
  const reader = source.open({ retainChunks: 2, ...(signal && { signal }) }).getReader()
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= reader.cancel(signal?.reason).catch(() => {})
  }
  signal?.addEventListener('abort', stop)
  let writing: Promise<number> = Promise.resolve(0)
  try {
    signal?.throwIfAborted()
    const batches = gather(reader, roomFor(source.size))
    for (;;) {
      const [batch, written] = await Promise.all([batches.next(), writing])
      signal?.throwIfAborted()
      if (written > 0) report(written)
      if (batch.done) return written
      writing = writeAll(handle, batch.value, written)
    }
  } catch (e) {
    stop()
    // the caller closes and removes the file next: no write may be under way then
    await Promise.allSettled([stopped, writing])
    signal?.throwIfAborted()
    throw e
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Writes all bytes at `position`. Returns the position after them. */
export async function writeAll(
  handle: LocalFileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done)
    done += bytesWritten
  }
  return position + done
}

/**
 * Yields large chunks as they are and joins small ones, up to `room` bytes. A yielded chunk is valid until the call after the
 * next one.
 */
async function* gather(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  room: number,
): AsyncGenerator<Uint8Array, void> {
  let buffer: Uint8Array | undefined
  let spare: Uint8Array | undefined
  let filled = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (filled === 0 && value.byteLength >= BATCH / 4) {
      yield value
      continue
    }
    for (let at = 0; at < value.byteLength; ) {
      buffer ??= allocate(room)
      const part = value.subarray(at, at + room - filled)
      buffer.set(part, filled)
      filled += part.byteLength
      at += part.byteLength
      if (filled < room) continue
      yield buffer
      ;[buffer, spare] = [spare, buffer]
      filled = 0
    }
  }
  if (buffer !== undefined && filled > 0) yield buffer.subarray(0, filled)
}
