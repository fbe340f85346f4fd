import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { IvcapError, type OpOptions } from '@ivcap/core/driver'
import { fileUrn, nextTurn } from '@ivcap/core/internal'
import { decodableEntries, NOT_UTF8 } from '../fs/entries.js'
import { errnoOf, hostFs, type LocalFs, type LocalStat } from '../fs/local-fs.js'
import type { Omissions } from '../fs/omissions.js'
import { isArtifactPath } from './names.js'
import type { ArtifactFolder, ArtifactPath } from './paths.js'

/** Files read at once, before other work gets a turn. */
const WIDTH = 64
/** Failures of the process, not of the file: they are thrown. */
const OF_THE_PROCESS = ['EMFILE', 'ENFILE', 'ENOMEM']

/**
 * Yields the files in the folder that are artifacts. Symbolic links are not followed: their target is either listed itself, or
 * outside. An entry that cannot be read is reported as `left-out`. If the folder itself cannot be read, the walk fails.
 */
export async function* filesBelow(
  parts: { readonly fs: LocalFs; readonly omissions: Omissions },
  { path: root, layout }: ArtifactFolder,
  { signal }: OpOptions,
): AsyncGenerator<{ path: ArtifactPath; stat: LocalStat }> {
  const { fs, omissions } = parts
  const folders: string[][] = [[]]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted()
    const dir = join(root, ...folder)
    const isRoot = folder.length === 0
    const listing = await decodableEntries(fs, dir).catch((e: unknown) => {
      if (isRoot) throw e
      return reportUnreadable(omissions, dir, e)
    })
    if (listing === undefined) continue
    omissions.clear(dir)
    for (const path of listing.undecodable) omissions.report({ path, state: '', why: NOT_UTF8 })
    const names: string[] = []
    for (const { name, kind } of listing.entries) {
      const segments = [...folder, name]
      if (!isArtifactPath(segments, layout)) continue
      if (kind === 'folder') folders.push(segments)
      else if (kind === 'file') names.push(name)
      else await reportOther(parts, root, join(dir, name), kind)
    }
    for (let i = 0; i < names.length; i += WIDTH) {
      if (i > 0) await nextTurn()
      signal?.throwIfAborted()
      const stats = await Promise.all(
        names.slice(i, i + WIDTH).map(async (name) => {
          const path = join(dir, name)
          const stat = await fs
            .lstat(path, { bigint: true })
            .catch((e: unknown) => reportUnreadable(omissions, dir, e))
          return { path: { id: fileUrn(path), path, name: [...(folder ?? []), name].join('/') }, stat }
        }),
      )
      for (const { path, stat } of stats) if (stat?.isFile()) yield { path, stat }
    }
  }
}

/** Reports the entry as left out, unless it no longer exists. */
function reportUnreadable(omissions: Omissions, path: string, e: unknown): undefined {
  const errno = errnoOf(e)
  if (errno === undefined || OF_THE_PROCESS.includes(errno)) throw e
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return
  const isDenied = errno === 'EACCES' || errno === 'EPERM'
  const why = isDenied ? 'this process may not look into it' : 'it can not be looked into'
  const error = new IvcapError(isDenied ? 'permission-denied' : 'unavailable', `${path}: ${why} [${errno}]`, {
    resource: path,
    cause: e,
  })
  omissions.report({ path, state: errno, why: `${why} [${errno}]`, error })
}

async function reportOther(
  { fs, omissions }: { readonly fs: LocalFs; readonly omissions: Omissions },
  root: string,
  path: string,
  kind: 'link' | 'other',
): Promise<void> {
  if (kind === 'other') {
    omissions.report({ path, state: kind, why: 'it is no regular file' })
    return
  }
  const target = fs === hostFs ? await realpath(path).catch(() => undefined) : undefined
  if (target?.startsWith(`${root}/`)) return
  omissions.report({ path, state: target ?? '', why: 'symbolic links out of the folder are not followed' })
}
