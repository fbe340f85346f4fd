import { type BigIntStats, constants, open as openCallback } from 'node:fs'
import { open } from 'node:fs/promises'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import { IvcapError } from '../../model/errors.js'
import { show } from '../../model/urn.js'
import type { ByteSource } from '../../ports/index.js'
import { type Chunks, chunksOfIterable, oneShotSource } from '../../streams/one-shot.js'
import { PIECE } from '../../streams/pieces.js'
import { fileError } from './fs-error.js'

const openDescriptor = promisify(openCallback)

/** A source for a named pipe or a device. It can be read only once. */
export function pipeSource(path: string, argument: string, found: BigIntStats): ByteSource {
  if (found.isFIFO()) return oneShotSource(() => opened(() => openPipe(path)), { argument })
  if (found.isCharacterDevice() || found.isBlockDevice()) {
    return unsizedSource(path, argument)
  }
  const message = `${argument} ${show(path)} is neither a file nor a pipe: name one that can be read`
  throw new IvcapError('invalid-argument', message, { argument, resource: path })
}

/** A source that reads a file once, from start to end, regardless of its stated size. */
export function unsizedSource(path: string, argument: string): ByteSource {
  return oneShotSource(() => opened(() => openInOrder(path)), { argument })
}

/** Calls `begin` at the first read. */
function opened(begin: () => Promise<Chunks>): Chunks {
  let chunks: Promise<Chunks> | undefined
  return {
    async next() {
      chunks ??= begin()
      return (await chunks).next()
    },
    stop: async (reason) => (await chunks)?.stop(reason),
  }
}

/** Non-blocking, driven by the event loop: if no writer ever opens the pipe, no thread is blocked, and the wait can be aborted. */
async function openPipe(path: string): Promise<Chunks> {
  const fd = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw fileError(error, "can't read", path)
  })
  return chunksOfIterable(new Socket({ fd, readable: true, writable: false }))
}

async function openInOrder(path: string): Promise<Chunks> {
  const handle = await open(path).catch((error: unknown) => {
    throw fileError(error, "can't read", path)
  })
  let pending = false
  return {
    async next() {
      pending = true
      const buffer = new Uint8Array(PIECE)
      const { bytesRead } = await handle
        .read(buffer, 0, buffer.byteLength, null)
        .catch((error: unknown) => {
          throw fileError(error, "can't read", path)
        })
        .finally(() => {
          pending = false
        })
      if (bytesRead > 0) return buffer.subarray(0, bytesRead)
      await handle.close()
      return undefined
    },
    async stop() {
      const closed = handle.close()
      closed.catch(() => {})
      // on a terminal the pending read may never end, and closing waits for it
      if (!pending) await closed
    },
  }
}
