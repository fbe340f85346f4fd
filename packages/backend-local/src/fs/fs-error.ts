import { IvcapError, type IvcapErrorCode, isIvcapError } from '@ivcap/core/driver'
import { errnoOf } from './local-fs.js'

interface Failure {
  readonly code: IvcapErrorCode
  readonly why: string
  readonly retryable?: boolean
}

const DISK_FULL: Failure = {
  code: 'unavailable',
  why: 'the disk is full, or the quota used up: free some space, then try again',
  // an immediate retry would fail again
  retryable: false,
}
const DENIED: Failure = {
  code: 'permission-denied',
  why: 'this process may not do that: check the permissions of the folder, or choose another one',
}
const NOT_A_FOLDER: Failure = {
  code: 'invalid-argument',
  why: 'something on the way is a file and not a folder: choose another path',
}
const TOO_MANY: Failure = {
  code: 'unavailable',
  why: 'too many files are open: close some, do less at once, or raise the limit (ulimit -n)',
  retryable: true,
}

const FAILURES: Readonly<Record<string, Failure>> = {
  ENOSPC: DISK_FULL,
  EDQUOT: DISK_FULL,
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { code: 'permission-denied', why: 'the file system is read-only: choose another folder' },
  ENOTDIR: NOT_A_FOLDER,
  EEXIST: NOT_A_FOLDER,
  EISDIR: { code: 'invalid-argument', why: 'there is a folder in its place: choose another name' },
  ENOTEMPTY: { code: 'invalid-argument', why: 'there is a folder in its place: choose another name' },
  ENAMETOOLONG: {
    code: 'invalid-argument',
    why: 'the path is too long for the file system: use a shorter one',
  },
  ELOOP: { code: 'invalid-argument', why: 'its symbolic links go round in a circle' },
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  EBUSY: { code: 'unavailable', why: 'another program is using it', retryable: true },
  EIO: {
    code: 'unavailable',
    why: 'the disk reports an error: check it before trying again',
    retryable: false,
  },
}

/** Maps an error of the file system to an IvcapError. Returns any other error unchanged. */
export function toIvcapError(e: unknown, operation: string, path: string, argument?: string): unknown {
  const errno = errnoOf(e)
  if (isIvcapError(e) || errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return e
  const {
    code,
    why,
    retryable = false,
  } = FAILURES[errno] ?? { code: 'unknown', why: 'the file system refused' }
  const details = { resource: path, retryable, cause: e, ...(argument !== undefined && { argument }) }
  const subject = argument === undefined ? path : `${argument}: ${path}`
  return new IvcapError(code, `can't ${operation} (${subject}): ${why} [${errno}]`, details)
}

/** Runs file system calls and maps their errors. */
export async function withFsErrors<T>(
  operation: string,
  path: string,
  argument: string | undefined,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run()
  } catch (e) {
    throw toIvcapError(e, operation, path, argument)
  }
}

/** Like `withFsErrors`, with the path from the error. The error names `baseDir` only if the folder itself failed. */
export async function withFolderErrors<T>(dir: string, operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (e) {
    const path = e instanceof Error && 'path' in e && typeof e.path === 'string' ? e.path : dir
    return await withFsErrors(operation, path, path === dir ? 'baseDir' : undefined, () => Promise.reject(e))
  }
}
