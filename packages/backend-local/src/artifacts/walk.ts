import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { IvcapError, type OpOptions } from '@ivcap/core/driver'
import { fileUrn } from '@ivcap/core/internal'
import { decodableEntries, NOT_UTF8 } from '../fs/entries.js'
import type { LeftOuts } from '../fs/left-outs.js'
import { errnoOf, hostFs, type LocalFs, type LocalStat } from '../fs/local-fs.js'
import { isArtifactPath } from './names.js'
import type { ArtifactFolder, ArtifactPath } from './paths.js'

/** Taken when this module is loaded: code under test may replace timers by ones that stand still. */
const nextTurn = setImmediate

/** Files looked at before other work gets its turn. */
const WIDTH = 64
/** Failures of the process, not of what is looked at: the caller must hear of them. */
const OF_THE_PROCESS = ['EMFILE', 'ENFILE', 'ENOMEM']

/**
 * The files in the folder that are artifacts. Symbolic links are not followed: what they lead to is either listed itself, or
 * outside. What can not be looked at is left out and told, unless it is the folder itself.
 */
export async function* filesBelow(
  parts: { readonly fs: LocalFs; readonly leftOuts: LeftOuts },
  { path: root, layout }: ArtifactFolder,
  { signal }: OpOptions,
): AsyncGenerator<{ path: ArtifactPath; stat: LocalStat }> {
  const { fs, leftOuts } = parts
  const folders: string[][] = [[]]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted()
    const dir = join(root, ...folder)
    const isRoot = folder.length === 0
    const found = await decodableEntries(fs, dir).catch((e: unknown) => {
      if (isRoot) throw e
      return leftOut(leftOuts, dir, e)
    })
    if (found === undefined) continue
    leftOuts.clear(dir)
    for (const path of found.undecodable) leftOuts.tell({ path, state: '', why: NOT_UTF8 })
    const names: string[] = []
    for (const { name, kind } of found.entries) {
      const segments = [...folder, name]
      if (!isArtifactPath(segments, layout)) continue
      if (kind === 'folder') folders.push(segments)
      else if (kind === 'file') names.push(name)
      else await tellOther(parts, root, join(dir, name), kind)
    }
    for (let i = 0; i < names.length; i += WIDTH) {
      if (i > 0) await nextTurn()
      signal?.throwIfAborted()
      const stats = await Promise.all(
        names.slice(i, i + WIDTH).map(async (name) => {
          const path = join(dir, name)
          const stat = await fs.lstat(path, { bigint: true }).catch((e: unknown) => leftOut(leftOuts, dir, e))
          return { path: { id: fileUrn(path), path, name: [...(folder ?? []), name].join('/') }, stat }
        }),
      )
      for (const { path, stat } of stats) if (stat?.isFile()) yield { path, stat }
    }
  }
}

/** What has vanished is not told: it is no longer there to be listed. */
function leftOut(leftOuts: LeftOuts, path: string, e: unknown): undefined {
  const errno = errnoOf(e)
  if (errno === undefined || OF_THE_PROCESS.includes(errno)) throw e
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return
  const isDenied = errno === 'EACCES' || errno === 'EPERM'
  const why = isDenied ? 'this process may not look into it' : 'it can not be looked into'
  const error = new IvcapError(isDenied ? 'permission-denied' : 'unavailable', `${path}: ${why} [${errno}]`, {
    resource: path,
    cause: e,
  })
  leftOuts.tell({ path, state: errno, why: `${why} [${errno}]`, error })
}

async function tellOther(
  { fs, leftOuts }: { readonly fs: LocalFs; readonly leftOuts: LeftOuts },
  root: string,
  path: string,
  kind: 'link' | 'other',
): Promise<void> {
  if (kind === 'other') {
    leftOuts.tell({ path, state: kind, why: 'it is no regular file' })
    return
  }
  const target = fs === hostFs ? await realpath(path).catch(() => undefined) : undefined
  if (target?.startsWith(`${root}/`)) return
  leftOuts.tell({ path, state: target ?? '', why: 'symbolic links out of the folder are not followed' })
}
