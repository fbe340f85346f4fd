import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BlobStore, ByteSource } from '@ivcap/core/driver'
import { systemClock } from '@ivcap/core/internal'
import { errnoOf, hostFs, type LocalFs, type LocalStat } from './fs/local-fs.js'
import { moveTo } from './fs/move-to.js'
import { placeOne } from './fs/small-files.js'
import { type Staging, stamp, stampOf, syncPath, type Written, writeSource } from './fs/staging.js'

type PutOptions = Parameters<BlobStore['put']>[2]

interface PutParts extends Written {
  readonly fs: LocalFs
  readonly staging: Staging
}

/** Bytes that take the kernel less time than handing each call to another thread. */
const SMALL = 16 * 1024

/**
 * A few bytes in memory, put in their place while everything else waits. Undefined where that isn't possible or doesn't work
 * out, with nothing done: the longer way will do, or tell why not.
 */
export async function placeNow(
  path: string,
  { native, unchanged }: ByteSource,
  { mode, signal }: PutOptions,
  { fs, fsync, staging }: PutParts,
): Promise<LocalStat | undefined> {
  const { sync } = fs
  // a disk that has to be waited for would hold up everything else
  if (sync === undefined || fsync || unchanged !== undefined) return undefined
  if (native?.kind !== 'bytes' || native.bytes.byteLength > SMALL) return undefined
  const { bytes } = native
  const exclusive = mode === 'create'
  const place = () =>
    placeOne(sync, staging.newPath(), path, bytes, { exclusive, modified: stampOf(systemClock()) })
  try {
    return place()
  } catch (e) {
    if (errnoOf(e) !== 'ENOENT') return undefined
  }
  try {
    for (const folder of [staging.dir, dirname(path)]) await fs.mkdir(folder, { recursive: true })
    signal?.throwIfAborted()
    return place()
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

/** Any bytes, made in the staging folder and put in their place whole. Undefined where `create` finds the place taken. */
export async function placeBlob(
  path: string,
  body: ByteSource,
  o: PutOptions,
  { fs, fsync, staging, report }: PutParts,
): Promise<LocalStat | undefined> {
  return await staging.with(
    async (staged) => {
      if (!(await linkSealed(fs, body, staged, fsync)))
        await writeSource(fs, staged, body, { ...o, fsync, report })
      await stamp(fs, staged, systemClock())
    },
    async (staged) => {
      o.signal?.throwIfAborted()
      const made = await fs.stat(staged, { bigint: true })
      return (await moveTo(fs, staged, path, { exclusive: o.mode === 'create', fsync })) ? made : undefined
    },
  )
}

/** A file that nobody writes to any more needs no copy where it lies on this file system: a second name will do. */
async function linkSealed(
  fs: LocalFs,
  { native }: ByteSource,
  staged: string,
  fsync: boolean,
): Promise<boolean> {
  if (native?.kind !== 'file' || native.sealed !== true || fs !== hostFs) return false
  try {
    const { mode } = await stat(native.path)
    // a stored file has the permissions that the umask leaves, never those of its source
    if ((mode & 0o777) !== (0o666 & ~process.umask())) return false
    await fs.link(native.path, staged)
  } catch {
    return false // another file system, or one without links; copying tells what else may be wrong
  }
  if (fsync) await syncPath(fs, staged)
  return true
}
