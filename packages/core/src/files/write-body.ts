import { open } from 'node:fs/promises'
import type { OpOptions } from '../ports.js'

/**
 * Writes all of `body` to a new file. On a failure the body is cancelled and the handle closed; the file is the caller's to
 * remove. Rejects with the signal's reason after an abort.
 *
 * @param mode Permission bits; absent: what the process's umask leaves.
 */
export async function writeBody(
  path: string,
  body: ReadableStream<Uint8Array>,
  { signal, mode }: OpOptions & { readonly mode?: number | undefined },
): Promise<void> {
  const reader = body.getReader()
  const onAbort = () => void reader.cancel(signal?.reason).catch(() => {})
  try {
    signal?.throwIfAborted()
    // never wider than `mode`, even for a moment, or where the file system knows no permissions
    const handle = await open(path, 'wx', mode)
    signal?.addEventListener('abort', onAbort)
    try {
      if (mode !== undefined) await handle.chmod(mode).catch(() => {})
      for (;;) {
        const { done, value } = await reader.read()
        // an abort ends the body early: that end is none
        signal?.throwIfAborted()
        if (done) break
        for (let at = 0; at < value.byteLength; ) {
          at += (await handle.write(value, at, value.byteLength - at)).bytesWritten
        }
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {})
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
