import { IvcapError, type IvcapErrorCode } from '../model/errors.js'
import { show } from '../model/urn.js'

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
  EMFILE: ['unavailable', 'this process has too many files open'],
}

/** `code` of a system error, e.g. `ENOENT`; undefined for any other. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Why a path could not be used: what to say, and the code that says it. */
export function reasonOf(error: unknown): readonly [IvcapErrorCode, string] {
  const known = REASONS[systemCode(error) ?? '']
  return known ?? ['unknown', error instanceof Error ? error.message : String(error)]
}

/** `error` as an IvcapError about `path`; one that is an IvcapError already stays as it is. */
export function fileError(error: unknown, doing: string, path: string): IvcapError {
  if (error instanceof IvcapError) return error
  const [code, reason] = reasonOf(error)
  const message = `${doing} ${show(path)}: ${reason}`
  // a full disk doesn't empty itself between two attempts
  return new IvcapError(code, message, { resource: path, cause: error, retryable: false })
}
