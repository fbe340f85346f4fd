import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { TempFile, WriteOptions } from '../types.js'
import { fileError, systemCode } from './fs-error.js'
import { writeBody } from './write-body.js'

/** Maximum bytes of a file name, by the limit of file systems. */
const LONGEST_NAME = 255
/** Names that Windows reserves for devices, with any extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** See `Runtime.tempFile`. */
export async function tempFile(
  name: string,
  body: ReadableStream<Uint8Array>,
  o: WriteOptions,
): Promise<TempFile> {
  const place = tmpdir()
  const folder = await mkdtemp(join(place, 'ivcap-')).catch(async (error: unknown) => {
    await body.cancel(error).catch(() => {})
    throw fileError(error, "can't make a temporary folder in", place)
  })
  const remove = () => rm(folder, { recursive: true, force: true })
  const path = join(folder, safeName(name))
  try {
    await writeBody(path, body, { ...o, mode: 0o600 })
    return { path, remove }
  } catch (error) {
    await remove()
    throw systemCode(error) && error !== o.signal?.reason ? fileError(error, "can't write", path) : error
  }
}

/** Converts the last segment of `name` to a file name that is valid on any system. Keeps the extension. */
function safeName(name: string): string {
  // uses only the end of the name, since these patterns take more than linear time
  const last = name
    .slice(-1000)
    .replace(/[/\\]+$/, '')
    .replace(/^.*[/\\]/s, '')
  const clean = last
    .replace(/\p{Surrogate}/gu, '_')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
    .replace(/[\u0000-\u001f\u007f<>:"|?*]/g, '_')
    .replace(/[. ]+$/, '')
    .replace(/^\.+/, '')
  const safe = clean === '' ? 'artifact' : RESERVED.test(clean) ? `_${clean}` : clean
  const extension = shorten(extname(safe), 32)
  return `${shorten(safe.slice(0, safe.length - extname(safe).length), LONGEST_NAME - 32)}${extension}`
}

/** The longest prefix that fits into this number of UTF-8 bytes. */
function shorten(text: string, bytes: number): string {
  let length = 0
  let kept = ''
  for (const char of text) {
    length += Buffer.byteLength(char)
    if (length > bytes) break
    kept += char
  }
  return kept
}
