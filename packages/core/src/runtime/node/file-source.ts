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

/** Bytes of a file without a true size that are kept in memory, so that it can be read again. */
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

/** What was seen of a file when a source was made of it. */
const seen = new WeakMap<ByteSource, Seen>()
export const seenBy = (source: ByteSource): Seen | undefined => seen.get(source)

/**
 * The file as it was when `found` was taken, just now; anything else than that is an `integrity` error.
 *
 * @param size Bytes, where `found` does not tell them.
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

/** The open file, which is compared with what it was: after its last byte, and before the first if it is read in several pieces. */
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
  /** A size that is not true is told by what comes after it. */
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
 * Whether a file holds as many bytes as its stat says. Runtime of /proc, /sys and some FUSE mounts say 0, or the size of a page,
 * and take no blocks. One byte before the end and none after it tell.
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
 * All that comes of a file, in order; undefined where that is more than can be kept. An abort is heard while the file has
 * nothing to give.
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
      // what was read lies in memory of a whole piece
      chunks.push(value.slice())
      size += value.byteLength
      if (size > MOST_KEPT) return undefined
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** @throws IvcapError for the reason why it can't be looked at, `not-found` if it is gone */
function isStill(path: string, found: BigIntStats): boolean {
  try {
    return isSame(found, statSync(path, { bigint: true }))
  } catch (error) {
    throw fileError(error, "can't read", path)
  }
}

/** Not by ctime, which tells of a changed permission or a new link, too. */
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

/** What is missing, or no file, is an argument that is wrong; any other reason has a code of its own. */
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
