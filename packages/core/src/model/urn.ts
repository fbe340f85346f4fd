import { IvcapError } from './errors.js'

/** A uniform resource name, e.g. `urn:ivcap:artifact:…`, `urn:file:///abs/path`. */
export type Urn = `urn:${string}`

const ARTIFACT = 'urn:ivcap:artifact:'
const ASPECT = 'urn:ivcap:aspect:'
const SERVICE = 'urn:ivcap:service:'
const JOB = 'urn:ivcap:job:'
const POLICY = 'urn:ivcap:policy:'
const FILE = 'urn:file://'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** RFC 8141: a namespace and a non-empty name; no blanks or control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const URN = /^urn:[a-z0-9][a-z0-9-]{0,31}:[^\s\u0000-\u001f\u007f]+$/i
/** RFC 3986: a scheme and a non-empty rest; no blanks or control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const URI = /^[a-z][a-z0-9+.-]*:[^\s\u0000-\u001f\u007f]+$/i

/** The URN of a file contains its raw path, including blanks. */
export function isUrn(value: unknown): value is Urn {
  if (typeof value !== 'string' || !value.startsWith('urn:')) return false
  const path = pathOfFileUrn(value)
  return path === undefined ? URN.test(value) : isPath(path)
}

/** @throws IvcapError `invalid-argument` unless `value` is a URN. */
export function parseUrn(value: unknown, argument: string): Urn {
  if (isUrn(value)) return value
  throw notA('URN such as urn:ivcap:collection:…', value, argument)
}

/** Parses an entity or a schema: any URI, in practice a URN. @throws IvcapError `missing-argument` or `invalid-argument` */
export function parseUri(value: unknown, argument: string): string {
  if (value === undefined || value === null || value === '') {
    throw new IvcapError('missing-argument', `${argument} is missing: give a URN such as urn:ivcap:…`, {
      argument,
    })
  }
  if (isUrn(value) || (typeof value === 'string' && URI.test(value))) return value
  throw notA('URN or URI', value, argument)
}

/** @throws IvcapError `invalid-argument` unless `value` is `urn:ivcap:policy:…`. */
export function parsePolicy(value: unknown, argument: string): Urn {
  if (isUrn(value) && value.startsWith(POLICY)) return value
  throw notA(`policy URN (${POLICY}…)`, value, argument)
}

/**
 * Parses an artifact id: `urn:ivcap:artifact:<uuid>`, the bare uuid, `urn:file:///abs/path` or `file:///abs/path`. Accepts no other
 * form, so that an id that reaches a driver is never an unexpected path.
 *
 * @throws IvcapError `invalid-argument`
 */
export function parseArtifactId(value: unknown, argument: string): Urn {
  if (typeof value === 'string') {
    if (UUID.test(value)) return artifactUrn(value)
    if (uuidAfter(ARTIFACT, value) !== undefined) return artifactUrn(value.slice(ARTIFACT.length))
    if (value.startsWith('file:///') && isPath(value.slice('file://'.length))) return `urn:${value}` as const
    if (value.startsWith(`${FILE}/`) && isPath(value.slice(FILE.length)))
      return `${FILE}${value.slice(FILE.length)}` as const
  }
  throw notA('artifact id (urn:ivcap:artifact:<uuid> or urn:file:///abs/path)', value, argument)
}

/** Parses `urn:ivcap:aspect:<uuid>` or the bare uuid. @throws IvcapError `invalid-argument` */
export function parseAspectId(value: unknown, argument: string): Urn {
  if (typeof value === 'string') {
    if (UUID.test(value)) return aspectUrn(value)
    if (uuidAfter(ASPECT, value) !== undefined) return aspectUrn(value.slice(ASPECT.length))
  }
  throw notA('aspect id (urn:ivcap:aspect:<uuid> or the uuid)', value, argument)
}

/** Parses a service's URN, or the bare uuid of `urn:ivcap:service:<uuid>`. @throws IvcapError `invalid-argument` */
export const parseServiceId = (value: unknown, argument: string): Urn =>
  parseIdOf(SERVICE, 'service', value, argument)

/** Parses a job's URN, or the bare uuid of `urn:ivcap:job:<uuid>`. @throws IvcapError `invalid-argument` */
export const parseJobId = (value: unknown, argument: string): Urn => parseIdOf(JOB, 'job', value, argument)

/** Accepts other URNs too, since each deployment may name its services and jobs in its own way. */
function parseIdOf(prefix: typeof SERVICE | typeof JOB, what: string, value: unknown, argument: string): Urn {
  if (typeof value === 'string' && UUID.test(value)) return `${prefix}${value.toLowerCase()}`
  if (isUrn(value)) return value
  throw notA(`${what} id (${prefix}<uuid> or the uuid)`, value, argument)
}

export const serviceUrn = (uuid: string): Urn => `${SERVICE}${uuid.toLowerCase()}`
export const jobUrn = (uuid: string): Urn => `${JOB}${uuid.toLowerCase()}`

export const artifactUrn = (uuid: string): Urn => `${ARTIFACT}${uuid.toLowerCase()}`
export const aspectUrn = (uuid: string): Urn => `${ASPECT}${uuid.toLowerCase()}`

/** The uuid in an artifact's URN; undefined for any other URN. */
export const artifactUuid = (id: string): string | undefined => uuidAfter(ARTIFACT, id)
/** The uuid in an aspect's URN; undefined for any other URN. */
export const aspectUuid = (id: string): string | undefined => uuidAfter(ASPECT, id)

/** `urn:file://<absolute path>`. The path is raw, as in IVCAP's Python client: nothing is percent-encoded. */
export const fileUrn = (path: string): Urn => `${FILE}${path}`

/** The raw path in `urn:file:///abs/path`; undefined for any other URN. */
export function pathOfFileUrn(id: string): string | undefined {
  return id.startsWith(`${FILE}/`) ? id.slice(FILE.length) : undefined
}

function uuidAfter(prefix: string, value: string): string | undefined {
  const rest = value.slice(prefix.length)
  return value.startsWith(prefix) && UUID.test(rest) ? rest.toLowerCase() : undefined
}

const isPath = (path: string): boolean => path.length > 1 && !path.includes('\0')

function notA(what: string, value: unknown, argument: string): IvcapError {
  return new IvcapError(
    'invalid-argument',
    `${argument} is not ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}: ${show(value)}`,
    { argument },
  )
}

/** Converts to text. An object without a prototype, or whose `toString` throws, has none. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return Array.isArray(value) ? 'an array' : 'an object'
  }
}

/** Formats a value for messages: short and on one line. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : textOf(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
