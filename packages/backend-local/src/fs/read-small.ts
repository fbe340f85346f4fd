import { constants } from 'node:fs'
import { errnoOf, type LocalFs, type LocalStat, type LocalSyncFs, statIfThere } from './local-fs.js'

/** Maximum size of an aspect's file, in bytes. Larger files are neither written nor read. */
export const MAX_RECORD = 32 * 1024 * 1024
/** Maximum size of other files in `.ivcap`, in bytes: closings, intents of locks, former bases. */
export const MAX_SMALL_FILE = 1024 * 1024
/** Non-blocking: opening a FIFO would otherwise wait for a writer. Windows has neither this flag nor FIFOs. */
export const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
export const APPEND =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)
/** Larger files are read by calls that do not block other work. */
const AT_ONCE = 256 * 1024

/** Why a file cannot be read. Completes the sentence "<path> is left out: …". */
export interface Unreadable {
  readonly unreadable: string
  readonly cause?: unknown
}

/** Maximum number of attempts. An error of a disk or a network file system may not recur at the next attempt. */
const ATTEMPTS = 4
/** Errors of a disk, and of a network file system whose server is unreachable. */
const DISK_ERRORS: ReadonlySet<string | undefined> = new Set([
  'EIO',
  'EREMOTEIO',
  'ESTALE',
  'ETIMEDOUT',
  'ENOTCONN',
])

/** True if the disk failed: the file may exist, and its content is unknown. */
export const isDiskError = (result: Unreadable | object | string | undefined): result is Unreadable =>
  typeof result === 'object' && 'cause' in result && DISK_ERRORS.has(errnoOf(result.cause))

/** Failures of the process, not of the file: they are thrown. */
const OF_THE_PROCESS = ['EMFILE', 'ENFILE', 'ENOMEM']

/**
 * Reads the text of a small file that other programs may have written. Reads only regular files (and symbolic links to them) of
 * up to `limit` bytes; returns `Unreadable` for all others. Never waits for a writer. Returns undefined if the file does not
 * exist.
 */
export async function readSmall(
  fs: LocalFs,
  path: string,
  limit: number,
  known?: LocalStat,
): Promise<string | Unreadable | undefined> {
  for (let attempt = 1; ; attempt++) {
    const result = await readOnce(fs, path, limit, known)
    if (attempt === ATTEMPTS || !isDiskError(result)) return result
  }
}

async function readOnce(
  fs: LocalFs,
  path: string,
  limit: number,
  known?: LocalStat,
): Promise<string | Unreadable | undefined> {
  try {
    // checked before opening: opening some devices has side effects
    const stat = known?.isFile() ? known : await statIfThere(fs, path)
    if (stat === undefined) return undefined
    const problem = problemOf(stat, limit)
    if (problem !== undefined) return problem
    const { sync } = fs
    const bytes =
      sync?.readSync !== undefined && Number(stat.size) <= AT_ONCE
        ? readNow(sync, path, limit)
        : await readAwaited(fs, path, limit)
    return bytes instanceof Uint8Array ? decodeText(bytes) : bytes
  } catch (e) {
    return failureOf(e)
  }
}

/** Like `readSmall`, synchronously. */
export function readSmallNow(
  sync: LocalSyncFs,
  path: string,
  limit: number,
): string | Unreadable | undefined {
  try {
    const stat = sync.lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return undefined
    const problem = problemOf(stat, limit)
    if (problem !== undefined || sync.readSync === undefined) return problem
    const bytes = readNow(sync, path, limit)
    return bytes instanceof Uint8Array ? decodeText(bytes) : bytes
  } catch (e) {
    return failureOf(e)
  }
}

async function readAwaited(fs: LocalFs, path: string, limit: number): Promise<Uint8Array | Unreadable> {
  const handle = await fs.open(path, READ)
  try {
    const stat = await handle.stat({ bigint: true })
    const problem = problemOf(stat, limit)
    if (problem !== undefined) return problem
    const chunks: Uint8Array[] = []
    let end = 0
    // one byte more than expected: fewer bytes mean that the file ends here
    for (let wanted = Number(stat.size) + 1; ; wanted = AT_ONCE) {
      const buffer = new Uint8Array(wanted)
      const { bytesRead } = await handle.read(buffer, 0, wanted, end)
      chunks.push(buffer.subarray(0, bytesRead))
      end += bytesRead
      if (end > limit) return tooLarge(limit)
      if (bytesRead < wanted && (bytesRead === 0 || end >= Number(stat.size))) return joined(chunks, end)
    }
  } finally {
    await handle.close()
  }
}

function readNow(sync: LocalSyncFs, path: string, limit: number): Uint8Array | Unreadable {
  const fd = sync.openSync(path, READ)
  try {
    const stat = sync.fstatSync(fd, { bigint: true })
    const problem = problemOf(stat, limit)
    if (problem !== undefined) return problem
    const chunks: Uint8Array[] = []
    let end = 0
    for (let wanted = Number(stat.size) + 1; ; wanted = AT_ONCE) {
      const buffer = new Uint8Array(wanted)
      const bytesRead = sync.readSync?.(fd, buffer, 0, wanted, end) ?? 0
      chunks.push(buffer.subarray(0, bytesRead))
      end += bytesRead
      if (end > limit) return tooLarge(limit)
      if (bytesRead < wanted && (bytesRead === 0 || end >= Number(stat.size))) return joined(chunks, end)
    }
  } finally {
    sync.closeSync(fd)
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length)
}

function problemOf(stat: LocalStat, limit: number): Unreadable | undefined {
  if (stat.isDirectory()) return { unreadable: 'it is a folder' }
  if (!stat.isFile()) return { unreadable: 'it is no regular file' }
  return stat.size > limit ? tooLarge(limit) : undefined
}

const tooLarge = (limit: number): Unreadable => ({
  unreadable: `it has more than ${limit / 1024 / 1024} MiB`,
})

function failureOf(e: unknown): Unreadable | undefined {
  const errno = errnoOf(e)
  if (errno === 'ENOENT') return undefined
  if (errno === undefined || OF_THE_PROCESS.includes(errno)) throw e
  return { unreadable: `${REASONS[errno] ?? 'it can not be read'} [${errno}]`, cause: e }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this process may not read it',
  EPERM: 'this process may not read it',
  ELOOP: 'its symbolic links go round in a circle',
  ENOTDIR: 'something on the way to it is a file',
  EISDIR: 'it is a folder',
  ENXIO: 'it is no regular file',
  EIO: 'the disk reports an error',
}

/** Keeps the byte order mark, so that an edited file still has it. */
function decodeText(bytes: Uint8Array): string | Unreadable {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { unreadable: 'it is UTF-16: save it as UTF-8' }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { unreadable: 'it is not UTF-8' }
  }
}
