import { dirname } from 'node:path'
import { IvcapError } from '@ivcap/core/driver'
import { errnoOf, type LocalFs } from './local-fs.js'
import { syncFolder } from './staging.js'

/** A concurrent deletion may remove the new parent folder before the file is in it. */
const ATTEMPTS = 20

/**
 * Moves a finished file to its path atomically. With `exclusive`, returns false if the path exists; otherwise an existing file is
 * replaced.
 */
export async function moveTo(
  fs: LocalFs,
  staged: string,
  path: string,
  o: { readonly exclusive: boolean; readonly fsync: boolean },
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (o.exclusive) await fs.link(staged, path)
      else await fs.rename(staged, path)
      break
    } catch (e) {
      const errno = errnoOf(e)
      if (o.exclusive && errno === 'EEXIST') return await isTaken(fs, path, e)
      if (o.exclusive && (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'ENOSYS'))
        throw noLinks(path, e)
      if (errno !== 'ENOENT' || attempt === ATTEMPTS) throw e
      await fs.mkdir(dirname(path), { recursive: true })
    }
  }
  if (!o.fsync) return true
  try {
    await syncFolder(fs, dirname(path))
  } catch (e) {
    // the new file may not last, so it is removed; a replaced file can only be restored by the caller
    if (o.exclusive) await fs.unlink(path).catch(() => {})
    throw e
  }
  return true
}

/** Returns false if a file is at the path. @throws IvcapError `invalid-argument` if a folder is at the path */
async function isTaken(fs: LocalFs, path: string, cause: unknown): Promise<false> {
  if (!(await fs.lstat(path, { bigint: true })).isDirectory()) return false
  throw new IvcapError('invalid-argument', `there is a folder at ${path}: choose another name`, {
    resource: path,
    cause,
  })
}

function noLinks(path: string, cause: unknown): IvcapError {
  return new IvcapError(
    'unsupported',
    `can't create ${path} so that only one of several writers wins: the file system has no hard links, choose another one`,
    { resource: path, cause },
  )
}
