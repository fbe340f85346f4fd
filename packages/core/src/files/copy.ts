import { constants } from 'node:fs'
import { copyFile, stat } from 'node:fs/promises'
import { isIvcapError } from '../model/errors.js'
import type { ByteSource } from '../ports.js'
import { hashAll } from '../transfer/hasher.js'
import { progressOf } from '../transfer/progress.js'
import { createSha256 } from './hash.js'
import type { CloneOptions, CopyOptions } from './types.js'

/** How often a copy is asked how far it is, in ms. */
const POLL = 50

/** See `Files.cloneFile`. */
export async function cloneFile(
  source: ByteSource,
  from: string,
  to: string,
  { signal, digest, report }: CloneOptions,
): Promise<{ readonly size: number; readonly sha256: string | undefined }> {
  signal?.throwIfAborted()
  let copying = true
  const poll = setInterval(() => void sizeOf(to).then((size) => copying && report(size)), POLL)
  try {
    // without EXCL the new file is truncated first, which makes ext4 allocate all of it before the call returns
    const copy = copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    // neither may run on when this returns: the file is removed then
    const [copied, hashed] = await Promise.allSettled([
      copy,
      digest ? hashAll(source, createSha256(), signal) : undefined,
    ])
    signal?.throwIfAborted()
    if (copied.status === 'rejected') throw copied.reason
    if (hashed.status === 'rejected') throw hashed.reason
    return { size: await sizeOf(to), sha256: hashed.value }
  } finally {
    copying = false
    clearInterval(poll)
  }
}

/** Of a file that isn't there yet: 0. */
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

/** Copies a file to a new one; whether that is what was asked for. */
export async function copyChecked(
  source: ByteSource,
  from: string,
  to: string,
  o: CopyOptions,
): Promise<boolean> {
  const { size, sha256, signal } = o
  const { report, finish } = progressOf(o, size)
  const digest = sha256 !== undefined
  report(0)
  try {
    const copied = await cloneFile(source, from, to, { digest, report, ...(signal && { signal }) })
    if (copied.size !== size || copied.sha256 !== sha256) return false
  } catch (error) {
    // it changed while it was hashed
    if (isIvcapError(error) && !signal?.aborted) return false
    throw error
  }
  if ((await source.unchanged?.()) !== true) return false
  finish(size)
  return true
}
