import { IvcapError, type IvcapErrorCode } from '../../model/errors.js'
import { show } from '../../model/urn.js'

const FEWER_FILES = 'close some, do less at once, or raise the limit (ulimit -n)'

const REASONS: Readonly<Record<string, readonly [IvcapErrorCode, string]>> = {
  ENOENT: ['not-found', 'there is no such file or folder'],
  ENOTDIR: ['invalid-argument', 'a part of the path is a file, not a folder'],
  EISDIR: ['invalid-argument', 'it is a folder: name a file'],
  ENAMETOOLONG: ['invalid-argument', 'the name is too long for this file system: shorten it'],
  ELOOP: ['invalid-argument', 'its symbolic links go round in a circle'],
  EACCES: ['permission-denied', 'access is denied: check its permissions and those of its folders'],
  EPERM: ['permission-denied', 'the system does not permit it: check its permissions and flags'],
  EROFS: ['permission-denied', 'the file system is read-only'],
  ENOSPC: ['unavailable', 'the disk is full: make room there, or choose another place'],
  EDQUOT: ['unavailable', 'the disk quota is used up: make room there, or choose another place'],
  EFBIG: ['invalid-argument', 'it is larger than this file system, or a limit of this process, allows'],
  EMFILE: ['unavailable', `this process has too many files open: ${FEWER_FILES}`],
  ENFILE: ['unavailable', `this machine has too many files open: ${FEWER_FILES}`],
  EBUSY: ['unavailable', 'another program is using it: try again when that has ended'],
  EIO: ['unavailable', 'the disk reports an error: check it before you try again'],
  ESTALE: ['unavailable', 'its network file system has lost it: check the connection, then try again'],
  ENOTCONN: ['unavailable', 'its file system is no longer connected: mount it again'],
  ENXIO: ['unavailable', 'there is no device or program behind it'],
}
/** Errors that may disappear by the next attempt. A full disk is not among them. */
const RETRYABLE: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'EBUSY'])

/** `code` of a system error, e.g. `ENOENT`; undefined for any other. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The error code and the text of the reason why a path could not be used. */
export function reasonOf(error: unknown): readonly [IvcapErrorCode, string] {
  const code = systemCode(error)
  const known = code !== undefined && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined
  return known ?? ['unknown', error instanceof Error ? error.message : String(error)]
}

/** Converts `error` to an IvcapError about `path`. Returns an IvcapError unchanged. */
export function fileError(error: unknown, doing: string, path: string, argument?: string): IvcapError {
  if (error instanceof IvcapError) return error
  const [code, reason] = reasonOf(error)
  const retryable = RETRYABLE.has(systemCode(error))
  const details = { resource: path, cause: error, retryable, ...(argument !== undefined && { argument }) }
  return new IvcapError(code, `${doing} ${show(path)}: ${reason}`, details)
}
