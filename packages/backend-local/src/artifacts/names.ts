import { posix } from 'node:path'
import { IvcapError } from '@ivcap/core/driver'
import { show } from '@ivcap/core/internal'
import { DEVICE, MAX_NAME } from '../blobs/keys.js'

/** The folder of aspects, below `baseDir`. */
export const ASPECTS = 'aspects'
/** The folder of artifacts, below `baseDir`, in layout `artifacts`. */
export const ARTIFACTS = 'artifacts'
/** The folder that only this package uses: staging, locks, closings. */
export const OWN = '.ivcap'

/** Where artifacts are stored: `flat` at `<baseDir>/<name>`, `artifacts` at `<baseDir>/artifacts/<name>`. */
export type Layout = 'flat' | 'artifacts'

/** Where the outputs of jobs are stored, below the folder: `jobs/<uuid of the job>/<name>`. */
const JOBS = 'jobs'

/** The name of a job's output, relative to the folder. `n`: the number of earlier outputs of the job with this name. */
export function outputName(job: string, name: string, n: number): string {
  const uuid = /[0-9a-z][\w-]*$/i.exec(job)?.[0] ?? 'unnamed'
  if (n === 0) return `${JOBS}/${uuid}/${name}`
  const { dir, name: stem, ext } = posix.parse(name)
  return posix.join(JOBS, uuid, dir, `${stem}-${n + 1}${ext}`)
}

/** True if the artifact may be an output of a job, whose record has another name than its path. */
export const mayBeOutput = (name: string): boolean => name.startsWith(`${JOBS}/`)

/**
 * Returns the segments of an artifact's name, a relative path with `/`.
 *
 * @throws IvcapError `invalid-argument` if the name leads out of the folder or into a folder that is not for artifacts, if
 * listings would not show the file, or if some system can't store it
 */
export function segmentsOf(name: string, layout: Layout): readonly string[] {
  const refuse = (why: string) =>
    new IvcapError('invalid-argument', `name ${show(name)} can't be a file's: ${why}`, { argument: 'name' })
  if (name === '') throw refuse('it is empty')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(name)) throw refuse('it has control characters')
  if (name.includes('\\')) throw refuse('it has a backslash; folders are separated by /')
  if (Buffer.from(name, 'utf8').toString('utf8') !== name) throw refuse('it has half of a surrogate pair')
  if (name.startsWith('/') || /^[a-z]:(\/|$)/i.test(name)) throw refuse('it must be relative to the folder')
  const segments = name.split('/')
  for (const segment of segments) {
    if (segment === '') throw refuse('between slashes there must be a name')
    if (segment === '.' || segment === '..') throw refuse('"." and ".." are not names')
    if (segment.startsWith('.')) throw refuse('names that begin with a dot are hidden, and never listed')
    if (DEVICE.test(segment)) throw refuse(`${show(segment)} is a device on Windows`)
    if (Buffer.byteLength(segment) > MAX_NAME) throw refuse(`a part of it is longer than ${MAX_NAME} bytes`)
    if (process.platform === 'win32' && /[<>:"|?*]|[. ]$/.test(segment)) {
      throw refuse('Windows allows none of <>:"|?* in it, and no dot or blank at its end')
    }
  }
  // ignoring case, because some file systems ignore it
  if (layout === 'flat' && segments[0]?.toLowerCase() === ASPECTS)
    throw refuse(`${ASPECTS}/ is the folder of aspects`)
  return segments
}

/** True unless a segment is hidden, or the file lies in the folder of aspects. */
export function isArtifactPath(segments: readonly string[], layout: Layout): boolean {
  if (segments.length === 0 || (layout === 'flat' && segments[0] === ASPECTS)) return false
  return segments.every((s) => s !== '' && !s.startsWith('.'))
}
