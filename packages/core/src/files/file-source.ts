import { type BigIntStats, constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { ByteSource } from '../ports.js'
import { type ReadableHandle, streamHandle } from '../transfer/handle-stream.js'
import { PIECE } from '../transfer/pieces.js'
import { allocate } from './allocate.js'
import { reasonOf } from './fs-error.js'
import { pipeSource } from './pipe-source.js'
import type { Seen } from './stat-cache.js'

/** See `Files.fileSource`. */
export async function fileSource(path: string, argument: string): Promise<ByteSource> {
  const absolute = resolve(path)
  const found = await check(path, argument)
  if (!found.isFile()) return pipeSource(absolute, argument, found)
  return regularFile(absolute, found)
}

/** What was seen of a file when a source was made of it. */
const seen = new WeakMap<ByteSource, Seen>()
export const seenBy = (source: ByteSource): Seen | undefined => seen.get(source)

/** The file as it was when `found` was taken, just now; anything else than that is an `integrity` error. */
export function regularFile(path: string, found: BigIntStats): ByteSource {
  const at = Date.now()
  const size = Number(found.size)
  const unchanged = async () => {
    const now = await stat(path, { bigint: true }).catch(() => undefined)
    return now !== undefined && isSame(found, now)
  }
  const source: ByteSource = {
    size,
    replayable: true,
    native: { kind: 'file', path },
    open({ offset = 0, end = size, signal, keep } = {}) {
      const range = { start: Math.min(offset, size), end: Math.min(end, size) }
      return streamHandle(() => watched(path, range, unchanged), { ...range, signal, allocate, keep })
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
  unchanged: () => Promise<boolean>,
): Promise<ReadableHandle> {
  const handle = await open(path).catch((cause: unknown) => {
    throw changed(path, cause)
  })
  if (end - start > PIECE && !(await unchanged())) {
    await handle.close()
    throw changed(path)
  }
  return {
    async read(buffer, offset, length, position) {
      const read = await handle.read(buffer, offset, length, position)
      const last = read.bytesRead === 0 || position + read.bytesRead >= end
      if (last && !(await unchanged())) throw changed(path)
      return read
    },
    close: () => handle.close(),
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
    await access(path, constants.R_OK)
    return found
  } catch (error) {
    if (error instanceof IvcapError) throw error
    const [, reason] = reasonOf(error)
    const where = resolve(path) === path ? '' : ` (looked for at ${resolve(path)})`
    throw unusable(path, argument, `${reason}${where}`, error)
  }
}

function unusable(path: string, argument: string, reason: string, cause?: unknown): IvcapError {
  const message = `${argument} ${show(path)} can't be read: ${reason}`
  return new IvcapError('invalid-argument', message, { argument, resource: path, cause })
}

function changed(path: string, cause?: unknown): IvcapError {
  const message = `${show(path)} changed while it was read: try again when nobody writes to it`
  return new IvcapError('integrity', message, { resource: path, cause })
}
