import { randomUUID } from 'node:crypto'
import { realpathSync, type Stats } from 'node:fs'
import { lstat, mkdir, readlink, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { OpOptions } from '../ports.js'
import { fileError, systemCode } from './fs-error.js'
import { writeBody } from './write-body.js'

/** See `Files.saveAs`. */
export async function saveAs(path: string, body: ReadableStream<Uint8Array>, o: OpOptions): Promise<string> {
  const absolute = resolve(path)
  const target = await targetOf(absolute, path).catch(async (error: unknown) => {
    await body.cancel(error).catch(() => {})
    throw fileError(error, "can't write", path)
  })
  const folder = dirname(target.path)
  const temporary = join(folder, `.ivcap-${randomUUID()}.part`)
  let made: string | undefined
  try {
    made = await mkdir(folder, { recursive: true })
    await writeBody(temporary, body, { ...o, mode: target.mode })
    await rename(temporary, target.path)
    return absolute
  } catch (error) {
    if (!body.locked) await body.cancel(error).catch(() => {})
    await rm(temporary, { force: true })
    if (made !== undefined) await removeEmpty(folder, made)
    throw o.signal?.aborted
      ? o.signal.reason
      : systemCode(error)
        ? fileError(error, "can't write", path)
        : error
  }
}

/** See `Files.samePath`. */
export function samePath(a: string, b: string): boolean {
  return real(a) === real(b)
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

/** The file that is to be replaced, behind any links, and the permissions that it has if it exists. */
async function targetOf(path: string, asGiven: string): Promise<{ path: string; mode?: number }> {
  const target = await behindLinks(path)
  const existing = await stat(target).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (existing === undefined) return { path: target }
  if (!existing.isFile()) throw notAFile(asGiven, existing)
  return { path: target, mode: existing.mode & 0o777 }
}

/** A link keeps its place, and its target gets the content, even if there is no such file yet. */
async function behindLinks(path: string): Promise<string> {
  let target = path
  // as many links as Linux follows
  for (let links = 0; links < 40; links += 1) {
    try {
      return await realpath(target)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    const found = await lstat(target).catch(() => undefined)
    if (found?.isSymbolicLink() !== true) return target
    target = resolve(dirname(target), await readlink(target))
  }
  return target
}

/** Takes back the folders that were made, as far as nobody has put anything into them. */
async function removeEmpty(folder: string, topmost: string): Promise<void> {
  for (let at = folder; at.startsWith(topmost); at = dirname(at)) {
    try {
      await rmdir(at)
    } catch {
      return
    }
  }
}

function notAFile(path: string, found: Stats): IvcapError {
  const what = found.isDirectory() ? 'a folder: name a file in it' : 'no regular file: use asStream() for it'
  return new IvcapError('invalid-argument', `path ${show(path)} is ${what}`, {
    argument: 'path',
    resource: path,
  })
}
