import { IvcapError } from './errors.js'
import { show } from './urn.js'

/** The names of all options of `T`. The compiler checks that the list is complete and has no other names. */
export type OptionNames<T> = { readonly [K in keyof T]-?: true }

/** The kind of value for each client option that has one of these kinds. An option has the same kind wherever its name is used. */
const KINDS: Readonly<Record<string, Kind>> = {
  signal: 'signal',
  onProgress: 'function',
  onEvent: 'function',
  onOutcome: 'function',
  onAdded: 'function',
  clock: 'function',
  fetch: 'function',
  artifactKey: 'function',
  logger: 'logger',
  forceUpload: 'boolean',
  sidecar: 'boolean',
  includeContent: 'boolean',
  orderDesc: 'boolean',
  digest: 'boolean',
  digests: 'boolean',
  fsync: 'boolean',
  forcePathStyle: 'boolean',
  remembersUploads: 'boolean',
  retries: 'count',
  retryDelay: 'milliseconds',
  connectTimeout: 'limit',
  idleTimeout: 'limit',
  shutdownTimeout: 'milliseconds',
}

type Kind = 'signal' | 'function' | 'logger' | 'boolean' | 'count' | 'milliseconds' | 'limit'

const WANTED: Readonly<Record<Kind, string>> = {
  signal: 'an AbortSignal, e.g. controller.signal',
  function: 'a function',
  logger: 'an object with functions debug and warn, e.g. console',
  boolean: 'true or false',
  count: 'a whole number from 0',
  milliseconds: 'a number of milliseconds from 0',
  limit: 'a number of milliseconds above 0',
}

/**
 * Validates the options of a caller. Returns a plain object without undefined members. Every public function with an options
 * object must call this.
 *
 * @param where name of the function, for error messages
 * @throws IvcapError `invalid-argument` if the value is not an options object, for an unknown option (the message suggests a known
 * one), and for an option of the wrong type
 */
export function checkOptions<T extends object>(options: T, names: OptionNames<NoInfer<T>>, where: string): T {
  try {
    return read(options, names, where)
  } catch (cause) {
    if (cause instanceof IvcapError) throw cause
    throw invalid('options', 'cannot be read: a getter or a proxy throws', where, cause)
  }
}

function read<T extends object>(options: T, names: OptionNames<T>, where: string): T {
  const given: unknown = options
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw notOptions(given, names, where)
  const keys = Object.keys(given)
  if (keys.length === 0 && !isPlain(given)) throw notOptions(given, names, where)
  const unknown = keys.find((key) => !Object.hasOwn(names, key))
  if (unknown !== undefined) throw unknownOption(unknown, Object.keys(names), where)
  const copy: Record<string, unknown> = {}
  for (const name in names) {
    const value: unknown = options[name]
    if (value === undefined) continue
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
    if (kind !== undefined && !isOfKind(kind, value))
      throw invalid(name, `must be ${WANTED[kind]}, not ${show(value)}`, where)
    copy[name] = value
  }
  // has the members of T by name; undefined members are omitted, which all options allow
  return copy as T
}

function isOfKind(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'signal':
      return isSignal(value)
    case 'function':
      return typeof value === 'function'
    case 'logger':
      return isLogger(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'count':
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    case 'milliseconds':
      return typeof value === 'number' && Number.isFinite(value) && value >= 0
    case 'limit':
      return typeof value === 'number' && value > 0
  }
}

/** Duck-typed, since a signal may come from another realm. */
function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return (
    'aborted' in value &&
    typeof value.aborted === 'boolean' &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function'
  )
}

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return ['debug', 'warn'].every((name) => {
    const method: unknown = Reflect.get(value, name)
    return method === undefined || typeof method === 'function'
  })
}

/** Whether the value is a plain object `{…}`, also of another realm, and not an instance of a class. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function notOptions(given: unknown, names: object, where: string): IvcapError {
  const some = Object.keys(names).slice(0, 3).join(', ')
  return invalid('options', `must be an object with ${some}…, not ${show(given)}`, where)
}

function unknownOption(name: string, known: readonly string[], where: string): IvcapError {
  const meant = closest(name, known)
  const remedy = meant === undefined ? `the options are ${known.join(', ')}` : `did you mean \`${meant}\`?`
  const message = `${where}: ${show(name)} is not an option; ${remedy}`
  return new IvcapError('invalid-argument', message, { operation: where, argument: name })
}

/** Suggests a known name: one that the name abbreviates, or one that is few edits away. */
function closest(name: string, known: readonly string[]): string | undefined {
  const wanted = letters(name)
  if (wanted === '' || wanted.length > 50) return undefined
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const other = letters(candidate)
    const edits = isShortFor(wanted, other) ? 1 : distance(wanted, other)
    if (edits < least) [best, least] = [candidate, edits]
  }
  return best
}

/** Normalises a name, so that file_path, file-path and FilePath match filePath. */
const letters = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Whether `short` results from leaving letters out of `other`, e.g. params for parameters. */
function isShortFor(short: string, other: string): boolean {
  let at = 0
  for (const letter of other) if (letter === short[at]) at += 1
  return short.length > 2 && short[0] === other[0] && at === short.length
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

function invalid(argument: string, what: string, where: string, cause?: unknown): IvcapError {
  const details = { operation: where, argument, cause }
  return new IvcapError('invalid-argument', `${where}: ${argument} ${what}`, details)
}
