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

/** Up to so many bytes are written synchronously: some 50 µs. */
const SMALL = 64 * 1024
/** Age at which files of another host or container are removed, in ms: its processes cannot be checked from here. */
const FOREIGN_FILE_TTL = 24 * 60 * 60 * 1000

/**
 * A hidden folder in which files are written before one call moves them to their path. It lies on the same file system. Names are
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

  /** As `newPath`, and creates the folder. The caller must call `discard`. */
  async create(): Promise<string> {
    await makeFolder(this.#fs, this.dir)
    return this.newPath()
  }

  /** Deletes a staged file unless it was moved. Never fails: a later process removes files that stay. */
  async discard(path: string): Promise<void> {
    try {
      if (this.#fs.sync === undefined || (await lstatIfThere(this.#fs, path))) await this.#fs.unlink(path)
    } catch {}
  }

  /** `make` writes a file, `use` moves it to its path. Afterwards the staged file is deleted in any case. */
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

/** A new file with all of `source`. @throws IvcapError `integrity` when the source changed meanwhile */
export async function writeSource(
  fs: LocalFs,
  path: string,
  source: ByteSource,
  o: OpOptions & Written,
): Promise<void> {
  const open = () => fs.open(path, 'wx')
  // a replayable source is stored again as a whole by the caller
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
 * Sets the time of change to the clock's, in microseconds: file systems tick in milliseconds, and an etag must tell
 * two versions apart that were written within one tick. The quarter keeps a microsecond that floating point holds as a hair
 * less from being cut to the one before.
 */
export const stamp = (fs: LocalFs, path: string, micros: number): Promise<void> =>
  fs.utimes(path, stampOf(micros), stampOf(micros))

/** Microseconds as the seconds that `utimes` takes. */
export const stampOf = (micros: number): number => (micros + 0.25) / 1e6

export async function writeText(fs: LocalFs, path: string, text: string, fsync: boolean): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  // a disk that has to be waited for would hold up everything else
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

/** New entries of a folder survive a power loss only after this. */
export async function syncFolder(fs: LocalFs, dir: string): Promise<void> {
  // Windows opens no folders, and needs no such call
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
