import { constants } from 'node:fs'
import { copyFile, stat } from 'node:fs/promises'
import type { ByteSource } from '../ports.js'
import { hashAll } from '../transfer/hasher.js'
import { progressOf } from '../transfer/progress.js'
import { createSha256 } from './hash.js'
import type { CopyOptions } from './types.js'

/** How often a copy is asked how far it is, in ms. */
const POLL = 50

/**
 * Copies a file to a new one by the kernel, sharing blocks where the file system can; whether that is what was asked for. The
 * system call can't be stopped: an abort is heard when it has returned.
 */
export async function copyChecked(
  source: ByteSource,
  from: string,
  to: string,
  o: CopyOptions,
): Promise<boolean> {
  const { size, sha256, signal } = o
  const progress = progressOf(o, size)
  const copied = () =>
    stat(to).then(
      (found) => found.size,
      () => 0,
    )
  progress.report(0)
  const poll = setInterval(() => void copied().then(progress.report), POLL)
  try {
    signal?.throwIfAborted()
    // without EXCL the new file is truncated first, which makes ext4 allocate all of it before the call returns
    const copying = copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    // neither may run on when this returns: the file is removed then
    const results = await Promise.allSettled([
      copying,
      sha256 === undefined ? undefined : hashAll(source, createSha256(), signal),
    ])
    signal?.throwIfAborted()
    const [copy, hashed] = results
    if (copy.status === 'rejected') throw copy.reason
    if (hashed.status === 'rejected' || hashed.value !== sha256) return false
    if ((await copied()) !== size || (await source.unchanged?.()) !== true) return false
  } finally {
    clearInterval(poll)
  }
  progress.finish(size)
  return true
}
