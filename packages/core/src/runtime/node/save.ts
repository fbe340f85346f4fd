import { randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, readlinkSync, realpathSync, renameSync, type Stats, statSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { IvcapError } from '../../model/errors.js'
import { show } from '../../model/urn.js'
import type { OpOptions } from '../../ports/index.js'
import type { CopyOptions, WriteOptions } from '../types.js'
import { copyChecked } from './copy.js'
import { regularFile } from './file-source.js'
import { fileError, systemCode } from './fs-error.js'
import { writeBody } from './write-body.js'

/** See `Runtime.saveAs`. */
export async function saveAs(
  path: string,
  body: ReadableStream<Uint8Array>,
  o: WriteOptions,
): Promise<string> {
  try {
    await place(path, o, async (temporary, mode) => {
      await writeBody(temporary, body, { ...o, mode })
      return true
    })
    return resolve(path)
  } catch (error) {
    if (!body.locked) await body.cancel(error).catch(() => {})
    throw error
  }
}

/** See `Runtime.copyAs`. */
export async function copyAs(path: string, from: string, o: CopyOptions): Promise<string | undefined> {
  const found = statSync(from, { bigint: true, throwIfNoEntry: false })
  if (!found?.isFile() || Number(found.size) !== o.size) return undefined
  const source = regularFile(from, found)
  const placed = await place(path, o, (temporary, mode) =>
    copyChecked(source, from, temporary, { ...o, mode }),
  )
  return placed ? resolve(path) : undefined
}

/**
 * Calls `write` with a temporary name beside `path`, then renames that file to `path`. Returns whether it did. If `write` returns
 * false or fails, nothing is left behind.
 *
 * Uses synchronous calls where no bytes are moved: passing them to another thread takes longer than the calls.
 */
async function place(
  path: string,
  { signal }: OpOptions,
  write: (temporary: string, mode: number | undefined) => Promise<boolean>,
): Promise<boolean> {
  const absolute = resolve(path)
  let made: { readonly folder: string; readonly topmost: string | undefined } | undefined
  let temporary: string | undefined
  let placed = false
  try {
    const target = targetOf(absolute, path)
    const folder = dirname(target.path)
    temporary = join(folder, `.ivcap-${randomUUID()}.part`)
    made = { folder, topmost: mkdirSync(folder, { recursive: true }) }
    if (!(await write(temporary, target.mode))) return false
    renameSync(temporary, target.path)
    placed = true
    return true
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw systemCode(error) ? fileError(error, "can't write", path, 'path') : error
  } finally {
    if (!placed && temporary !== undefined) await rm(temporary, { force: true })
    if (!placed && made?.topmost !== undefined) await removeEmpty(made.folder, made.topmost)
  }
}

/** See `Runtime.checkFilePath`. */
export function checkFilePath(path: unknown, argument: string): string {
  const refuse = (why: string) =>
    new IvcapError('invalid-argument', `${argument} ${show(path)} ${why}`, { argument })
  if (typeof path !== 'string' || path === '') throw refuse('is not the name of a file')
  if (path.includes('\0')) throw refuse('has a NUL character, which no file name can have')
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path)) throw refuse('is a URL: give the path of a file instead')
  const last = path.split(sep === '/' ? '/' : /[/\\]/).at(-1) ?? ''
  if (['', '.', '..'].includes(last)) throw refuse('names a folder: name a file in it')
  return path
}

/** See `Runtime.samePath`. */
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

/** The file to replace, with links resolved, and its permissions if it exists. */
function targetOf(path: string, asGiven: string): { path: string; mode?: number } {
  const target = behindLinks(path)
  const existing = statSync(target, { throwIfNoEntry: false })
  if (existing === undefined) return { path: target }
  if (!existing.isFile()) throw notAFile(asGiven, existing)
  return { path: target, mode: existing.mode & 0o777 }
}

/** Resolves symbolic links: the link stays, and its target gets the content, even if the target does not exist yet. */
function behindLinks(path: string): string {
  let target = path
  // Linux follows at most 40 links
  for (let links = 0; links < 40; links += 1) {
    try {
      return realpathSync.native(target)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target
    target = resolve(dirname(target), readlinkSync(target))
  }
  return target
}

/** Removes the folders that were created, as far as they are still empty. */
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
