import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BlobStore, ByteSource } from '@ivcap/core/driver'
import { systemClock } from '@ivcap/core/internal'
import { errnoOf, hostFs, type LocalFs, type LocalStat } from '../fs/local-fs.js'
import { moveTo } from '../fs/move-to.js'
import { placeOne } from '../fs/small-files.js'
import { type Staging, stamp, stampOf, syncPath, type Written, writeSource } from '../fs/staging.js'

type PutOptions = Parameters<BlobStore['put']>[2]

interface PutParts extends Written {
  readonly fs: LocalFs
  readonly staging: Staging
}

/** Bodies of up to this many bytes are written synchronously, which takes less time than a switch to another thread. */
const SMALL = 16 * 1024

/**
 * Stores a small body from memory synchronously. Returns undefined if that is not possible or fails; nothing is stored then, and
 * the caller must call `placeBlob`.
 */
export async function placeNow(
  path: string,
  { native, unchanged }: ByteSource,
  { mode, signal }: PutOptions,
  { fs, fsync, staging }: PutParts,
): Promise<LocalStat | undefined> {
  const { sync } = fs
  // with fsync, synchronous calls would block the process for too long
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

/** Stages a body of any size and moves it to its path. Returns undefined if the mode is `create` and the path exists. */
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

/** Hard-links a sealed file on the same file system instead of copying it. Returns false if that is not possible. */
async function linkSealed(
  fs: LocalFs,
  { native }: ByteSource,
  staged: string,
  fsync: boolean,
): Promise<boolean> {
  if (native?.kind !== 'file' || native.sealed !== true || fs !== hostFs) return false
  try {
    const { mode } = await stat(native.path)
    // a stored file must have the permissions that the umask allows, not those of its source
    if ((mode & 0o777) !== (0o666 & ~process.umask())) return false
    await fs.link(native.path, staged)
  } catch {
    return false // another file system, or one without links; copying reports any other failure
  }
  if (fsync) await syncPath(fs, staged)
  return true
}
