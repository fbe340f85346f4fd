import type { OpOptions } from '@ivcap/core/driver'
import { nextTurn } from '@ivcap/core/internal'
import { errnoOf, type LocalFs, type LocalStat, type LocalSyncFs } from './local-fs.js'
import { moveTo } from './move-to.js'
import { type Staging, syncFolder, writeNow, writeText } from './staging.js'

export interface SmallFile {
  readonly path: string
  readonly text: string
}

/** Files written before other work gets a turn: about 2 ms on an idle disk. */
const SLICE = 32

/**
 * Creates many small files in `dir`, each atomically. Stops at the first failure; files already created stay. Calls `placed` for
 * each slice of files once they exist.
 */
export async function placeFiles(
  files: readonly SmallFile[],
  { signal }: OpOptions,
  parts: { readonly fs: LocalFs; readonly dir: string; readonly staging: Staging; readonly fsync: boolean },
  placed: (from: number, stats: readonly LocalStat[]) => void,
): Promise<void> {
  const { fs, dir, fsync } = parts
  for (let from = 0; from < files.length; from += SLICE) {
    if (from > 0) await nextTurn()
    signal?.throwIfAborted()
    const slice = files.slice(from, from + SLICE)
    // with fsync, synchronous calls would block the process for too long
    const sync = fsync ? undefined : fs.sync
    const stats = sync ? await placeNow(slice, sync, parts) : await placeAwaited(slice, parts)
    if (fsync) await syncFolder(fs, dir)
    placed(from, stats)
  }
}

async function placeAwaited(
  files: readonly SmallFile[],
  { fs, staging, fsync }: { fs: LocalFs; staging: Staging; fsync: boolean },
): Promise<LocalStat[]> {
  const outcomes = await Promise.allSettled(
    files.map(({ path, text }) =>
      staging.with(
        (staged) => writeText(fs, staged, text, fsync),
        async (staged) => {
          const stat = await fs.lstat(staged, { bigint: true })
          await moveTo(fs, staged, path, { exclusive: false, fsync: false })
          return stat
        },
      ),
    ),
  )
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

async function placeNow(
  files: readonly SmallFile[],
  sync: LocalSyncFs,
  { fs, dir, staging }: { fs: LocalFs; dir: string; staging: Staging },
): Promise<LocalStat[]> {
  const stats: LocalStat[] = []
  for (const { path, text } of files) {
    const place = () => placeOne(sync, staging.newPath(), path, new TextEncoder().encode(text))
    try {
      stats.push(place())
    } catch (e) {
      if (errnoOf(e) !== 'ENOENT') throw e
      for (const folder of [dir, staging.dir]) await fs.mkdir(folder, { recursive: true })
      stats.push(place())
    }
  }
  return stats
}

interface Placing {
  /** Fails if the path exists, instead of replacing the file. */
  readonly exclusive?: boolean
  /** Time of change, in s since 1970. @default now */
  readonly modified?: number
}

/** Writes a staged file and moves it to its path, synchronously. Leaves nothing behind if it fails. */
export function placeOne(
  sync: LocalSyncFs,
  staged: string,
  path: string,
  bytes: Uint8Array,
  { exclusive = false, modified }: Placing = {},
): LocalStat {
  try {
    const stat = writeNow(sync, staged, bytes, modified)
    if (!exclusive) {
      sync.renameSync(staged, path)
      return stat
    }
    sync.linkSync(staged, path)
    discard(sync, staged)
    return stat
  } catch (e) {
    discard(sync, staged)
    throw e
  }
}

/** Never fails. A later process removes a file that could not be deleted. */
function discard(sync: LocalSyncFs, path: string): void {
  try {
    sync.unlinkSync(path)
  } catch {}
}
