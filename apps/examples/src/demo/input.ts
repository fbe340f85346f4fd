import { type Stats, statSync } from 'node:fs'
import { basename } from 'node:path'

export interface Input {
  readonly path: string
  readonly size: number
}

/** @throws Error in words for the user, unless `path` is a file that can be looked at */
export function inputFile(path: string): Input {
  const stat = statOf(path)
  if (stat.isDirectory()) throw new Error(`${path} is a folder. Name a file in it.`)
  if (!stat.isFile()) throw new Error(`${path} is not an ordinary file. Name a file on disk.`)
  return { path, size: stat.size }
}

function statOf(path: string): Stats {
  try {
    return statSync(path)
  } catch (e) {
    const code = e instanceof Error && 'code' in e ? e.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new Error(
        `There is no file ${path}. Check the spelling; a relative path counts from where you called npm.`,
      )
    }
    if (code === 'EACCES')
      throw new Error(`${path} can't be looked at: you have no permission for its folder.`)
    throw e
  }
}

/**
 * A name for the artifact after its file. In local mode a name is a path below the folder, so what such a path can't
 * have (backslashes, control characters, a leading dot: files with one are hidden from lists) becomes `_`.
 */
export function nameOf(path: string): string {
  return `demo/${basename(path)
    .replace(/[\\\p{Cc}]/gu, '_')
    .replace(/^\.+/, '_')}`
}
