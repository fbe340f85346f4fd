import * as nodeFsSync from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import type { OpOptions } from '@ivcap/core/driver'
import { withOpenFiles } from '@ivcap/core/internal'

/**
 * The part of `node:fs/promises` that this package uses. Node's own module and the `promises` of a memfs volume implement it.
 * Pass another implementation to store the folder elsewhere, or to simulate disk errors in a test.
 */
export interface LocalFs {
  open(path: string, flags: string | number): Promise<LocalFileHandle>
  readFile(path: string, encoding: 'utf8'): Promise<string>
  stat(path: string, o: { bigint: true }): Promise<LocalStat>
  lstat(path: string, o: { bigint: true }): Promise<LocalStat>
  realpath(path: string): Promise<string | Uint8Array>
  readdir(
    path: string,
    o: { withFileTypes: boolean; encoding?: 'buffer' },
  ): Promise<readonly (string | Uint8Array | LocalDirEntry)[]>
  mkdir(path: string, o: { recursive: true }): Promise<unknown>
  link(existing: string, path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  utimes(path: string, accessed: number, modified: number): Promise<void>
  /** If absent, files keep the modes and groups that the file system gives them. */
  chmod?(path: string, mode: number): Promise<void>
  chown?(path: string, uid: number, gid: number): Promise<void>
  /**
   * Synchronous calls as in `node:fs`, for small files: the kernel needs less time for them than a switch to another thread
   * takes. If absent, small files are written by the calls above.
   */
  readonly sync?: LocalSyncFs
}

export interface LocalSyncFs {
  openSync(path: string, flags: string | number): number
  writeSync(fd: number, bytes: Uint8Array, offset: number): number
  closeSync(fd: number): void
  readSync?(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
  readFileSync(path: string, encoding: 'utf8'): string
  lstatSync(path: string, o: { bigint: true; throwIfNoEntry: false }): LocalStat | undefined
  statSync?(path: string, o: { bigint: true; throwIfNoEntry: false }): LocalStat | undefined
  fstatSync(fd: number, o: { bigint: true }): LocalStat
  futimesSync(fd: number, accessed: number, modified: number): void
  linkSync(existing: string, path: string): void
  renameSync(from: string, to: string): void
  unlinkSync(path: string): void
  mkdirSync(path: string, o: { recursive: true }): unknown
  readdirSync?(path: string, o: { withFileTypes: boolean }): readonly (string | Uint8Array | LocalDirEntry)[]
}

export interface LocalFileHandle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesWritten: number }>
  stat(o: { bigint: true }): Promise<LocalStat>
  sync?(): Promise<void>
  datasync(): Promise<void>
  close(): Promise<void>
}

export interface LocalStat {
  readonly size: number | bigint
  readonly ino: number | bigint
  readonly mtimeMs: number | bigint
  readonly mtimeNs?: bigint
  /** Permissions and type. Absent if the file system has none. */
  readonly mode?: number | bigint
  readonly gid?: number | bigint
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

export interface LocalDirEntry {
  readonly name: string | Uint8Array
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/** Small files that this process reads concurrently. */
const READS_AT_ONCE = 16
let reads = 0
const waiting: (() => void)[] = []

/** Limits concurrent reads: many listings at once would otherwise use up all file descriptors. */
async function readText(path: string, encoding: 'utf8'): Promise<string> {
  if (reads >= READS_AT_ONCE) await new Promise<void>((go) => waiting.push(go))
  else reads += 1
  try {
    return await nodeFs.readFile(path, encoding)
  } finally {
    // the next reader in the queue takes over the permit, so the count stays the same
    const next = waiting.shift()
    if (next === undefined) reads -= 1
    else next()
  }
}

/**
 * This machine's files. On a local disk, calls that transfer no bytes take 2 to 10 µs, and a switch to another thread takes 40 µs
 * or more. These calls therefore run synchronously. Folders are read, and files are opened, by the thread pool.
 */
export const hostFs: LocalFs = {
  ...nodeFs,
  readFile: readText,
  stat: async (path, o) => nodeFsSync.statSync(path, o),
  lstat: async (path, o) => nodeFsSync.lstatSync(path, o),
  realpath: async (path) => nodeFsSync.realpathSync.native(path),
  link: async (existing, path) => nodeFsSync.linkSync(existing, path),
  rename: async (from, to) => nodeFsSync.renameSync(from, to),
  unlink: async (path) => nodeFsSync.unlinkSync(path),
  utimes: async (path, accessed, modified) => nodeFsSync.utimesSync(path, accessed, modified),
  sync: nodeFsSync,
}

export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

/**
 * Returns the entries of a folder in no particular order; none if the folder does not exist. `small`: the folder has few entries,
 * and is read synchronously.
 */
export async function entriesOf(fs: LocalFs, dir: string, { small = false } = {}): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const entry of (await readFolder(fs, dir, true, small)) ?? []) {
    if (typeof entry === 'string' || entry instanceof Uint8Array) continue
    if (typeof entry.name !== 'string') continue
    const kind = entry.isFile()
      ? 'file'
      : entry.isDirectory()
        ? 'folder'
        : entry.isSymbolicLink()
          ? 'link'
          : 'other'
    entries.push({ name: entry.name, kind })
  }
  return entries
}

/** Like `entriesOf`, but returns only the names, in half the time. */
export async function namesOf(fs: LocalFs, dir: string, { small = false } = {}): Promise<string[]> {
  const names = await readFolder(fs, dir, false, small)
  return (names ?? []).filter((name) => typeof name === 'string')
}

const readFolder = (fs: LocalFs, dir: string, withFileTypes: boolean, small: boolean) =>
  orAbsent(
    (async () =>
      small && fs.sync?.readdirSync
        ? fs.sync.readdirSync(dir, { withFileTypes })
        : await fs.readdir(dir, { withFileTypes }))(),
  )

/** Returns undefined instead of failing with `ENOENT`. */
export async function orAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (e) {
    if (errnoOf(e) === 'ENOENT') return undefined
    throw e
  }
}

const PRESENT = { bigint: true, throwIfNoEntry: false } as const

/** Like `lstat`, but returns undefined if the path does not exist. */
export async function lstatIfThere(fs: LocalFs, path: string): Promise<LocalStat | undefined> {
  return fs.sync ? fs.sync.lstatSync(path, PRESENT) : await orAbsent(fs.lstat(path, { bigint: true }))
}

/** Like `lstatIfThere`, but follows symbolic links. */
export async function statIfThere(fs: LocalFs, path: string): Promise<LocalStat | undefined> {
  return fs.sync?.statSync ? fs.sync.statSync(path, PRESENT) : await orAbsent(fs.stat(path, { bigint: true }))
}

export async function makeFolder(fs: LocalFs, dir: string): Promise<void> {
  if (fs.sync) fs.sync.mkdirSync(dir, { recursive: true })
  else await fs.mkdir(dir, { recursive: true })
}

/**
 * Runs `work` again if it failed because too many files were open, once some have been closed. `work` must be repeatable and must
 * leave no file open when it fails.
 */
export const retryIfTooManyOpen = <T>(fs: LocalFs, work: () => Promise<T>, o: OpOptions): Promise<T> =>
  fs === hostFs ? withOpenFiles(work, o) : work()

/** Returns the code, e.g. `ENOENT` or `EEXIST`; undefined if `e` is not an error of the file system. */
export function errnoOf(e: unknown): string | undefined {
  return e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : undefined
}

/** Nanoseconds since 1970. */
export const modifiedNs = (stat: LocalStat): bigint =>
  stat.mtimeNs ?? BigInt(Math.round(Number(stat.mtimeMs) * 1e6))

/** Changes whenever the file changes: it contains inode, time of change and size. */
export const etagOf = (stat: LocalStat): string =>
  `${BigInt(stat.ino).toString(16)}-${modifiedNs(stat).toString(16)}-${BigInt(stat.size).toString(16)}`
