import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'

/** Maximum length of a file name on all common file systems, in bytes. */
export const MAX_NAME = 255
/** Characters that some file systems don't allow in a name, and `%`, which escapes them. */
const UNSAFE = /[%<>:"|?*\\]/g
/** Fast path: names that need no decoding. */
const PLAIN = /^\d[\w!~-]*$/
/** Windows treats these names as devices, with any extension. */
export const DEVICE = /^(con|prn|aux|nul|com[1-9]|lpt[1-9])(?=\.|$)/i

/**
 * Returns the path of a blob below the folder: the key, with `%XX` for characters that a file name can't contain. No name starts
 * with a dot, because those names are reserved for staging.
 *
 * @throws IvcapError `invalid-argument` if the key is empty or too long, contains anything but printable ASCII, or has a segment
 * that is empty or longer than 255 bytes
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

/** Inverse of `nameOfSegment`. Returns undefined for a name that no key has: the file is from another program. */
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
