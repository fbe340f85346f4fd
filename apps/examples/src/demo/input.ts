import { type Stats, statSync } from 'node:fs'
import { basename } from 'node:path'

export interface Input {
  readonly path: string
  readonly size: number
}

/** @throws Error with a message for the user, unless `path` is a file whose size can be read */
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
 * Returns a name for the artifact, from the name of its file. In local mode a name is a path below the folder. Characters that
 * such a path can't have become `_`: backslashes, control characters, and a leading dot, which would hide the file from lists.
 */
export function nameOf(path: string): string {
  return `demo/${basename(path)
    .replace(/[\\\p{Cc}]/gu, '_')
    .replace(/^\.+/, '_')}`
}
