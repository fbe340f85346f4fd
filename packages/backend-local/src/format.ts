import { join } from 'node:path'
import { IvcapError, isJsonObject } from '@ivcap/core/driver'
import { OWN } from './artifacts/names.js'
import type { LocalFs } from './fs/local-fs.js'
import { LARGEST_NOTE, readSmall } from './fs/read-small.js'
import { writeText } from './fs/staging.js'

/** Counts up when earlier versions of this package would misread the folder. A folder without a record of it has version 1. */
const FORMAT = 1
/** How artifacts lie in the folder: each at `<baseDir>/<name>`. */
const LAYOUT = 'flat'

const pathOf = (dir: string): string => join(dir, OWN, 'layout.json')

/** @throws IvcapError `unsupported` for a folder that a later version has written, or whose artifacts lie otherwise */
export async function checkFormat(fs: LocalFs, dir: string): Promise<void> {
  const path = pathOf(dir)
  const text = await readSmall(fs, path, LARGEST_NOTE)
  const { format = FORMAT, layout = LAYOUT } = typeof text === 'string' ? recordIn(text) : {}
  if (format === FORMAT && layout === LAYOUT) return
  const found = format === FORMAT ? `layout ${JSON.stringify(layout)}` : `format ${JSON.stringify(format)}`
  const message =
    `${path} says ${found}, and this version reads format ${FORMAT} with layout "${LAYOUT}": ` +
    'install a later version of @ivcap/backend-local, or choose another folder'
  throw new IvcapError('unsupported', message, { argument: 'baseDir', resource: path })
}

/** Records the format of a folder that has no record of it. A folder without one is read as well, so failures are ignored. */
export async function recordFormat(
  fs: LocalFs,
  dir: string,
  share: (path: string) => Promise<void>,
): Promise<void> {
  const path = pathOf(dir)
  if ((await readSmall(fs, path, LARGEST_NOTE)) !== undefined) return
  try {
    await writeText(fs, path, `${JSON.stringify({ format: FORMAT, layout: LAYOUT })}\n`, false)
    await share(path)
  } catch {}
}

/** A record that was cut off says nothing. */
function recordIn(text: string): { format?: unknown; layout?: unknown } {
  try {
    const parsed: unknown = JSON.parse(text)
    return isJsonObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
