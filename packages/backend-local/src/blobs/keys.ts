import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'

/** Bytes of one file name, on all file systems of today. */
export const MAX_NAME = 255
/** Characters that some file system can't hold in a name, and `%`, which escapes them. */
const UNSAFE = /[%<>:"|?*\\]/g
/** Fast path: names that need no decoding. */
const PLAIN = /^\d[\w!~-]*$/
/** Windows takes these for devices, whatever extension follows. */
export const DEVICE = /^(con|prn|aux|nul|com[1-9]|lpt[1-9])(?=\.|$)/i

/**
 * The path of a blob below the folder: the key, with what a file name can't hold as `%XX`. No name starts with a dot:
 * such names are reserved for staging.
 *
 * @throws IvcapError `invalid-argument` for a key that is empty, too long, has an empty segment, one of more than 255
 * bytes, or anything but printable ASCII
 */
export function pathOfKey(key: string): string {
  if (key === '' || key.length > 1024 || !/^[\x20-\x7e]+$/.test(key)) {
    throw invalid(key, 'keys are 1 to 1,024 characters of printable ASCII')
  }
  const names = key.split('/').map(nameOfSegment)
  if (names.includes('')) throw invalid(key, 'segments between slashes must not be empty')
  if (names.some((name) => name.length > MAX_NAME)) {
    throw invalid(key, `a segment is longer than the ${MAX_NAME} bytes of a file name`)
  }
  return names.join('/')
}

export function nameOfSegment(segment: string): string {
  return segment
    .replace(UNSAFE, percent)
    .replace(/^\.|[. ]$/g, percent)
    .replace(DEVICE, (name) => percent(name) + name.slice(1))
}

/** undefined for a name that no key has: a foreign file. */
export function segmentOfName(name: string): string | undefined {
  if (PLAIN.test(name)) return name
  const segment = name.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return nameOfSegment(segment) === name && /^[\x20-\x7e]+$/.test(segment) ? segment : undefined
}

const percent = (text: string) => `%${text.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

function invalid(key: string, why: string): IvcapError {
  return new IvcapError('invalid-argument', `not a blob key: ${show(key)}; ${why}`, { argument: 'key' })
}
