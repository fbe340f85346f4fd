import { accessSync, type BigIntStats, constants, statSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { IvcapError, type IvcapErrorCode, isIvcapError } from '../../model/errors.js'
import { show } from '../../model/urn.js'
import type { ByteSource, OpOptions } from '../../ports/index.js'
import { bytesSource } from '../../streams/bytes.js'
import { type ReadableHandle, streamHandle } from '../../streams/handle-stream.js'
import { PIECE } from '../../streams/pieces.js'
import { allocate } from './allocate.js'
import { fileError, reasonOf } from './fs-error.js'
import { pipeSource, unsizedSource } from './pipe-source.js'
import type { Seen } from './stat-cache.js'

/** Maximum bytes of a file without a true size that are kept in memory, so that it can be read again. */
const MOST_KEPT = 1 << 20

/** See `Runtime.fileSource`. */
export async function fileSource(path: string, argument: string, o: OpOptions = {}): Promise<ByteSource> {
  const absolute = resolve(path)
  const found = await check(path, argument)
  if (!found.isFile()) return pipeSource(absolute, argument, found)
  if (await hasTrueSize(absolute, found)) return regularFile(absolute, found)
  const bytes = await readWhole(absolute, o)
  return bytes === undefined ? unsizedSource(absolute, argument) : bytesSource(bytes)
}

/** The stat from which a source was made. */
const seen = new WeakMap<ByteSource, Seen>()
export const seenBy = (source: ByteSource): Seen | undefined => seen.get(source)

/**
 * A source of the file as it is in `found`, which must just have been taken. Reading fails with `integrity` if the file changed.
 *
 * @param size bytes, if `found` does not have the true size
 */
export function regularFile(path: string, found: BigIntStats, size = Number(found.size)): ByteSource {
  const at = Date.now()
  const unchanged = async () => {
    try {
      return isStill(path, found)
    } catch (error) {
      if (isIvcapError(error, 'not-found')) return false
      throw error
    }
  }
  const source: ByteSource = {
    size,
    replayable: true,
    native: { kind: 'file', path },
    open({ offset = 0, end = size, signal, retainChunks } = {}) {
      const range = { start: Math.min(offset, size), end: Math.min(end, size) }
      return streamHandle(() => watched(path, range, size, found), {
        ...range,
        signal,
        allocate,
        retainChunks,
      })
    },
    unchanged,
  }
  seen.set(source, { found, at })
  return source
}

/** Opens the file. Checks that it is unchanged after its last byte, and also before the first if it is read in several pieces. */
async function watched(
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
  size: number,
  found: BigIntStats,
): Promise<ReadableHandle> {
  const failed = (error: unknown) => {
    throw fileError(error, "can't read", path)
  }
  const handle = await open(path).catch(failed)
  const beyond = new Uint8Array(1)
  const assertUnchanged = () => {
    if (!isStill(path, found)) throw changed(path)
  }
  /** If the size was not the true one, more bytes follow. */
  const assertEnded = async () => {
    if (end !== size) return
    const { bytesRead } = await handle.read(beyond, 0, 1, size).catch(failed)
    if (bytesRead > 0) throw changed(path)
  }
  try {
    if (end - start > PIECE) assertUnchanged()
    if (size === 0) await assertEnded()
  } catch (error) {
    await handle.close()
    throw error
  }
  return {
    async read(buffer, offset, length, position) {
      const read = await handle.read(buffer, offset, length, position).catch(failed)
      const last = read.bytesRead === 0 || position + read.bytesRead >= end
      if (last) {
        await assertEnded()
        assertUnchanged()
      }
      return read
    },
    close: () => handle.close(),
  }
}

/**
 * Whether a file holds as many bytes as its stat says. Files in /proc, /sys and some FUSE mounts report 0, or the size of a page,
 * and occupy no blocks. The size is true if the file has a byte before the end and none after it.
 */
export async function hasTrueSize(path: string, { size, blocks }: BigIntStats): Promise<boolean> {
  if (size > 0n && blocks * 512n >= size) return true
  const last = size > 0n ? size - 1n : 0n
  try {
    const handle = await open(path)
    try {
      const { bytesRead } = await handle.read(new Uint8Array(2), 0, 2, Number(last))
      return bytesRead === Number(size - last)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw fileError(error, "can't read", path)
  }
}

/**
 * Reads a file in order to its end. Returns undefined if it has more than MOST_KEPT bytes. An abort takes effect even while the
 * file has no data.
 */
export async function readWhole(path: string, { signal }: OpOptions): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = unsizedSource(path, 'path')
    .open({ ...(signal && { signal }) })
    .getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Buffer.concat(chunks, size)
      // a chunk is a view of the buffer of a whole piece: the copy lets that be freed
      chunks.push(value.slice())
      size += value.byteLength
      if (size > MOST_KEPT) return undefined
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** @throws IvcapError with the reason why the file can't be examined, `not-found` if it is gone */
function isStill(path: string, found: BigIntStats): boolean {
  try {
    return isSame(found, statSync(path, { bigint: true }))
  } catch (error) {
    throw fileError(error, "can't read", path)
  }
}

/** Does not compare ctime, which also changes with the permissions and with new links. */
function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino && a.dev === b.dev
}

async function check(path: string, argument: string): Promise<BigIntStats> {
  if (path === '' || path.includes('\0')) throw unusable(path, argument, 'that is not a path: name a file')
  try {
    const found = await stat(path, { bigint: true })
    if (found.isDirectory()) throw unusable(path, argument, 'it is a folder: name a file')
    accessSync(path, constants.R_OK)
    return found
  } catch (error) {
    if (error instanceof IvcapError) throw error
    const [code, reason] = reasonOf(error)
    const where = resolve(path) === path ? '' : ` (looked for at ${resolve(path)})`
    throw unusable(path, argument, `${reason}${where}`, error, code)
  }
}

/** A missing file, or a path that is not a file, is an invalid argument. Any other reason keeps its own code. */
function unusable(
  path: string,
  argument: string,
  reason: string,
  cause?: unknown,
  code?: IvcapErrorCode,
): IvcapError {
  const message = `${argument} ${show(path)} can't be read: ${reason}`
  const kept = code === undefined || code === 'not-found' || code === 'unknown' ? 'invalid-argument' : code
  return new IvcapError(kept, message, { argument, resource: path, cause })
}

function changed(path: string): IvcapError {
  const message = `${show(path)} changed while it was read: try again when nobody writes to it`
  return new IvcapError('integrity', message, { resource: path })
}
