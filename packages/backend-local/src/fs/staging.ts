import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type ByteSource, IvcapError, type OpOptions } from '@ivcap/core/driver'
import { isProcessGone, processIdentity } from '@ivcap/core/internal'
import { copyStream, writeAll } from './copy-stream.js'
import {
  entriesOf,
  type LocalFs,
  type LocalStat,
  type LocalSyncFs,
  lstatIfThere,
  makeFolder,
  modifiedNs,
  orAbsent,
  retryIfTooManyOpen,
} from './local-fs.js'

/** Files of up to this many bytes are written synchronously, which takes about 50 µs. */
const SMALL = 64 * 1024
/** Age at which files of another host or container are removed, in ms: its processes cannot be checked from here. */
const FOREIGN_FILE_TTL = 24 * 60 * 60 * 1000

/**
 * A hidden folder on the same file system, in which files are written before one call moves them to their path. Names are
 * `<process id>.<uuid>`.
 */
export class Staging {
  readonly #fs: LocalFs
  readonly dir: string
  #removed: Promise<void> | undefined

  constructor(fs: LocalFs, dir: string) {
    this.#fs = fs
    this.dir = dir
  }

  /** A unique path. The folder need not exist yet. */
  newPath(): string {
    return join(this.dir, `${processIdentity()}.${randomUUID()}`)
  }

  /** Like `newPath`, but also creates the folder. The caller must call `discard`. */
  async create(): Promise<string> {
    await makeFolder(this.#fs, this.dir)
    return this.newPath()
  }

  /** Deletes a staged file unless it was moved. Never fails. A later process removes a file that could not be deleted. */
  async discard(path: string): Promise<void> {
    try {
      if (this.#fs.sync === undefined || (await lstatIfThere(this.#fs, path))) await this.#fs.unlink(path)
    } catch {}
  }

  /** Calls `make`, which must write the file, then `use`, which must move it to its path. Always deletes the staged file. */
  async with<T>(make: (path: string) => Promise<void>, use: (path: string) => Promise<T>): Promise<T> {
    const path = await this.create()
    try {
      await make(path)
      return await use(path)
    } finally {
      await this.discard(path)
    }
  }

  /** Removes files of processes that are gone. Runs once; failures are ignored. */
  removeStaleFiles(): Promise<void> {
    this.#removed ??= this.#removeAll().catch(() => {})
    return this.#removed
  }

  async #removeAll(): Promise<void> {
    for (const { name, kind } of await entriesOf(this.#fs, this.dir)) {
      if (kind !== 'file') continue
      const path = join(this.dir, name)
      const stat = await lstatIfThere(this.#fs, path)
      if (stat === undefined) continue
      const lastChange = Number(modifiedNs(stat) / 1_000_000n)
      if (isProcessGone(name.split('.')[0] ?? '', lastChange, FOREIGN_FILE_TTL))
        await orAbsent(this.#fs.unlink(path))
    }
  }
}

export interface Written {
  readonly report: (written: number) => void
  readonly fsync: boolean
}

/** Creates a file with all bytes of `source`. @throws IvcapError `integrity` if the source changed meanwhile */
export async function writeSource(
  fs: LocalFs,
  path: string,
  source: ByteSource,
  o: OpOptions & Written,
): Promise<void> {
  const open = () => fs.open(path, 'wx')
  // if the source is replayable, the caller repeats the whole operation instead
  const handle = await (source.replayable ? open() : retryIfTooManyOpen(fs, open, o))
  try {
    await copyStream(source, handle, o)
    if (o.fsync) await syncHandle(handle)
  } finally {
    await handle.close()
  }
  await checkUnchanged(source)
}

/**
 * Sets the time of change of a file, in microseconds since 1970. File systems may record it only in milliseconds, but the etags
 * of two versions that were written within one millisecond must differ.
 */
export const stamp = (fs: LocalFs, path: string, micros: number): Promise<void> =>
  fs.utimes(path, stampOf(micros), stampOf(micros))

/**
 * Converts microseconds to the seconds that `utimes` takes. Adds a quarter of a microsecond: the floating-point value may be
 * slightly too small, and would be truncated to the previous microsecond.
 */
export const stampOf = (micros: number): number => (micros + 0.25) / 1e6

export async function writeText(fs: LocalFs, path: string, text: string, fsync: boolean): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  // with fsync, synchronous calls would block the process for too long
  if (fs.sync && !fsync && bytes.byteLength <= SMALL) {
    writeNow(fs.sync, path, bytes)
    return
  }
  const handle = await fs.open(path, 'wx')
  try {
    await writeAll(handle, bytes, 0)
    if (fsync) await syncHandle(handle)
  } finally {
    await handle.close()
  }
}

/** Creates a file synchronously, with `modified` (s since 1970) as its time of change. Returns its stat. */
export function writeNow(sync: LocalSyncFs, path: string, bytes: Uint8Array, modified?: number): LocalStat {
  const fd = sync.openSync(path, 'wx')
  try {
    for (let done = 0; done < bytes.byteLength; ) done += sync.writeSync(fd, bytes, done)
    if (modified !== undefined) sync.futimesSync(fd, modified, modified)
    return sync.fstatSync(fd, { bigint: true })
  } finally {
    sync.closeSync(fd)
  }
}

/** @throws IvcapError `integrity` */
async function checkUnchanged(source: ByteSource): Promise<void> {
  if ((await source.unchanged?.()) === false) {
    throw new IvcapError(
      'integrity',
      'the source changed while it was read: try again when no other program writes to it',
    )
  }
}

/** Syncs a folder. Its new entries survive a power loss only afterwards. */
export async function syncFolder(fs: LocalFs, dir: string): Promise<void> {
  // Windows can't open folders, and does not need this call
  if (process.platform !== 'win32') await syncPath(fs, dir)
}

export async function syncPath(fs: LocalFs, path: string): Promise<void> {
  const handle = await fs.open(path, 'r')
  try {
    await syncHandle(handle)
  } finally {
    await handle.close()
  }
}

const syncHandle = (handle: { sync?(): Promise<void>; datasync(): Promise<void> }): Promise<void> =>
  handle.sync === undefined ? handle.datasync() : handle.sync()
