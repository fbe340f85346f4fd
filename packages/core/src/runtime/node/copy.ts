import { closeSync, constants, fchmodSync, openSync, readSync, writeSync } from 'node:fs'
import { chmod, copyFile as cloneFile, type FileHandle, open, stat } from 'node:fs/promises'
import { IvcapError, isIvcapError } from '../../model/errors.js'
import { show } from '../../model/urn.js'
import type { ByteSource } from '../../ports/index.js'
import type { Hasher } from '../../streams/hasher.js'
import { PIECE } from '../../streams/pieces.js'
import { progressOf } from '../../streams/progress.js'
import type { CopyFileOptions, CopyOptions } from '../types.js'
import { allocate } from './allocate.js'
import { fileError } from './fs-error.js'
import { createSha256 } from './hash.js'

/** Maximum bytes of a file that is copied by blocking calls: passing each call to another thread takes longer. */
const SMALL = 128 * 1024
/** Non-blocking: otherwise opening a FIFO that has replaced the file would block. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
/** Minimum bytes of a hole that is preserved in a sparse file. */
const HOLE = 64 * 1024
const ZEROS = new Uint8Array(HOLE)
/** Bytes of a part of a large file, and number of parts that are copied concurrently (libuv's default number of threads). */
const PART = 512 * 1024
const PARTS_AT_ONCE = 4

/** See `Runtime.copyFile`. */
export async function copyFile(
  source: ByteSource,
  from: string,
  to: string,
  o: CopyFileOptions,
): Promise<{ readonly size: number; readonly sha256: string | undefined }> {
  o.signal?.throwIfAborted()
  const hasher = o.digest ? createSha256() : undefined
  const size =
    source.size !== undefined && source.size <= SMALL
      ? copySmall(source.size, from, to, o, hasher)
      : await copyLarge(source.size, from, to, o, hasher)
  if (source.size !== undefined && size !== source.size) throw otherSize(from, source.size, size)
  if ((await source.unchanged?.()) === false) throw await changed(from)
  o.signal?.throwIfAborted()
  return { size, sha256: hasher?.digest() }
}

/** @returns the number of bytes; `expected + 1` if the file has more */
function copySmall(
  expected: number,
  from: string,
  to: string,
  { mode, report }: CopyFileOptions,
  hasher: Hasher | undefined,
): number {
  const bytes = readUpTo(from, expected + 1)
  hasher?.update(bytes)
  report(0)
  const output = openSync(to, 'wx', mode)
  try {
    // the umask may have removed bits; a file system without permissions fails here
    if (mode !== undefined) attempt(() => fchmodSync(output, mode))
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(output, bytes, done)
  } finally {
    closeSync(output)
  }
  report(bytes.byteLength)
  return bytes.byteLength
}

function readUpTo(path: string, most: number): Uint8Array {
  const bytes = allocate(most)
  try {
    const input = openSync(path, READ)
    try {
      for (let done = 0; ; ) {
        const read = readSync(input, bytes, done, most - done, done)
        done += read
        if (read === 0 || done === most) return bytes.subarray(0, done)
      }
    } finally {
      closeSync(input)
    }
  } catch (error) {
    throw fileError(error, "can't read", path)
  }
}

function attempt(step: () => void): void {
  try {
    step()
  } catch {}
}

async function copyLarge(
  expected: number | undefined,
  from: string,
  to: string,
  o: CopyFileOptions,
  hasher: Hasher | undefined,
): Promise<number> {
  const input = await open(from).catch((error: unknown) => {
    throw fileError(error, "can't read", from)
  })
  try {
    const pump = new Pump(input, from, expected, hasher, o)
    if (expected !== undefined && expected <= PIECE)
      return await writeNew(to, o, (output) => pump.run(output))
    const { mode, blocks, size: whole } = await input.stat()
    const sparse = blocks * 512 < whole
    if (await clone(from, to, mode & 0o777, o)) {
      const size = hasher === undefined ? whole : await pump.run(undefined)
      o.report(size)
      return size
    }
    return await writeNew(to, o, (output) =>
      hasher === undefined && expected !== undefined
        ? copyParts(input, output, from, expected, sparse, o)
        : pump.run(output, sparse),
    )
  } finally {
    await input.close()
  }
}

/**
 * Shares the blocks of the file if the file system supports it. COPYFILE_FICLONE_FORCE is needed because libuv's own copy loop
 * never ends if the source becomes shorter during the copy, or holds fewer bytes than its size.
 */
async function clone(from: string, to: string, mode: number, o: CopyFileOptions): Promise<boolean> {
  const wanted = o.mode ?? 0o666 & ~process.umask()
  // the clone first has the mode of the source, which must not be wider than wanted, even for a moment
  if ((mode & ~wanted) !== 0) return false
  try {
    await cloneFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
  } catch {
    return false // copying tells what else may be wrong
  }
  if (mode !== wanted) await chmod(to, wanted)
  return true
}

async function writeNew(
  path: string,
  { mode }: CopyFileOptions,
  write: (output: FileHandle) => Promise<number>,
): Promise<number> {
  const output = await open(path, 'wx', mode)
  try {
    // the umask may have removed bits; a file system without permissions fails here
    if (mode !== undefined) await output.chmod(mode).catch(() => {})
    return await write(output)
  } finally {
    await output.close()
  }
}

/** Reads a file to its end, one piece ahead of hashing and writing. */
class Pump {
  readonly #input: FileHandle
  readonly #from: string
  readonly #expected: number | undefined
  readonly #hasher: Hasher | undefined
  readonly #o: CopyFileOptions
  /** Three buffers: one is being read, one hashed, one written. */
  readonly #buffers: Uint8Array[] = []
  #turn = 0
  #position = 0

  constructor(
    input: FileHandle,
    from: string,
    expected: number | undefined,
    hasher: Hasher | undefined,
    o: CopyFileOptions,
  ) {
    this.#input = input
    this.#from = from
    this.#expected = expected
    this.#hasher = hasher
    this.#o = o
  }

  /** @returns the number of bytes. Stops as soon as there are more than expected. */
  async run(output: FileHandle | undefined, sparse = false): Promise<number> {
    const { signal, report } = this.#o
    let reading = this.#read()
    let writing = Promise.resolve()
    try {
      for (;;) {
        const piece = await reading
        signal?.throwIfAborted()
        const start = this.#position
        this.#position += piece.bytes.byteLength
        const grown = this.#expected !== undefined && this.#position > this.#expected
        const ended = piece.bytes.byteLength === 0 || (piece.short && this.#position === this.#expected)
        if (!ended && !grown) reading = this.#read()
        this.#hasher?.update(piece.bytes)
        await writing
        if (output !== undefined) {
          report(start)
          writing = sparse ? writeSparse(output, piece.bytes, start) : writeAll(output, piece.bytes, start)
          writing.catch(() => {})
        }
        if (ended || grown) break
      }
      await writing
      // a hole at the end is not written, so the size must be set
      if (sparse) await output?.truncate(this.#position)
      if (output !== undefined) report(this.#position)
      return this.#position
    } finally {
      // no read or write may be in progress when the caller closes the files
      await Promise.allSettled([reading, writing])
    }
  }

  /** `short`: fewer bytes than requested, because the file ended or the system returned fewer. */
  #read(): Promise<{ readonly bytes: Uint8Array; readonly short: boolean }> {
    const read = async () => {
      const buffer = this.#nextBuffer()
      const { bytesRead } = await this.#input
        .read(buffer, 0, buffer.byteLength, this.#position)
        .catch((error: unknown) => {
          throw fileError(error, "can't read", this.#from)
        })
      return { bytes: buffer.subarray(0, bytesRead), short: bytesRead < buffer.byteLength }
    }
    const reading = read()
    reading.catch(() => {})
    return reading
  }

  #nextBuffer(): Uint8Array {
    const at = this.#turn++ % 3
    const known = this.#buffers[at]
    // one byte more than a small file has: a short read then shows the end of the file
    const buffer = known ?? allocate(Math.min((this.#expected ?? PIECE) + 1, PIECE))
    this.#buffers[at] = buffer
    return buffer
  }
}

/**
 * Copies parts of a file concurrently, each to its own position. This is faster than copying in order, which only a digest needs.
 *
 * @returns the number of bytes, or more than `size` if the file has grown
 */
async function copyParts(
  input: FileHandle,
  output: FileHandle,
  from: string,
  size: number,
  sparse: boolean,
  { signal, report }: CopyFileOptions,
): Promise<number> {
  let next = 0
  let written = 0
  // the end of the file, as far as the reads have shown
  let end = size
  report(0)
  const copyNext = async () => {
    const buffer = allocate(PART)
    while (next < end) {
      signal?.throwIfAborted()
      const start = next
      const stop = Math.min(start + PART, size)
      next = stop
      let position = start
      while (position < stop) {
        const { bytesRead } = await input
          .read(buffer, position - start, stop - position, position)
          .catch((error: unknown) => {
            throw fileError(error, "can't read", from)
          })
        if (bytesRead === 0) {
          end = Math.min(end, position)
          break
        }
        position += bytesRead
      }
      const bytes = buffer.subarray(0, position - start)
      await (sparse ? writeSparse(output, bytes, start) : writeAll(output, bytes, start))
      written += bytes.byteLength
      signal?.throwIfAborted()
      report(written)
    }
  }
  const copiers = Array.from({ length: PARTS_AT_ONCE }, () =>
    copyNext().catch((error: unknown) => {
      // the other copiers stop after their current part
      end = 0
      throw error
    }),
  )
  const outcomes = await Promise.allSettled(copiers)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  if (end < size) return end
  // a hole at the end is not written, so the size must be set
  if (sparse) await output.truncate(size)
  const { bytesRead } = await input.read(allocate(1), 0, 1, size)
  return size + bytesRead
}

async function writeAll(output: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; )
    done += (await output.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten
}

/** Does not write blocks of zeros. */
async function writeSparse(output: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  const isHole = (at: number) => Buffer.compare(bytes.subarray(at, at + HOLE), ZEROS) === 0
  for (let start = 0; start < bytes.byteLength; ) {
    if (isHole(start)) {
      start += HOLE
      continue
    }
    let end = start + HOLE
    while (end < bytes.byteLength && !isHole(end)) end += HOLE
    await writeAll(output, bytes.subarray(start, end), position + start)
    start = end
  }
}

/** Copies a file to a new one. Returns false if the file changed, is gone, or does not have the size and digest in `o`. */
export async function copyChecked(
  source: ByteSource,
  from: string,
  to: string,
  o: CopyOptions & { readonly mode: number | undefined },
): Promise<boolean> {
  const { size, sha256, mode, signal } = o
  const { report, finish } = progressOf(o, size)
  report(0)
  try {
    const copied = await copyFile(source, from, to, {
      digest: sha256 !== undefined,
      report,
      ...(mode !== undefined && { mode }),
      ...(signal && { signal }),
    })
    if (copied.size !== size || copied.sha256 !== sha256) return false
  } catch (error) {
    // the file changed or was deleted during the copy
    const moved = isIvcapError(error, 'integrity') || isIvcapError(error, 'not-found')
    if (moved && !signal?.aborted) return false
    throw error
  }
  finish(size)
  return true
}

function otherSize(path: string, size: number, found: number): IvcapError {
  const now = found > size ? `${found} or more` : String(found)
  const message = `${show(path)} had ${size} bytes and now has ${now}: try again when nobody writes to it`
  return new IvcapError('integrity', message, { resource: path })
}

/** If the file is gone, returns the error for that reason instead. */
async function changed(path: string): Promise<IvcapError> {
  const message = `${show(path)} changed while it was copied: try again when nobody writes to it`
  return stat(path).then(
    () => new IvcapError('integrity', message, { resource: path }),
    (error: unknown) => fileError(error, "can't read", path),
  )
}
