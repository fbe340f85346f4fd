import { IvcapError } from './errors.js'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/**
 * What a caller gives as JSON. `Date` and other objects with `toJSON` are taken as `JSON.stringify` takes them,
 * `undefined` members are left out.
 */
export type JsonInput = object

/**
 * What JSON may have, here and in the body of a request: an aspect is a description, not a table. Each member of an object takes
 * as long as fifty bytes of text; nesting makes readers in other languages recurse.
 */
export const JSON_LIMITS = {
  /** Levels. */
  depth: 200,
  /** Of all objects together. */
  members: 100_000,
  /** Of all arrays together. */
  items: 1_000_000,
} as const
const MAX_DEPTH = JSON_LIMITS.depth
/** Bytes of UTF-8 JSON; an aspect is a description, not a blob. */
const MAX_BYTES = 10_000_000

/**
 * The plain JSON object that `input` stands for: a deep copy, so that a later change of the input changes nothing stored.
 *
 * @throws IvcapError `invalid-argument` naming the path of what JSON can't hold: NaN, Infinity, BigInt, a cycle,
 * a function or a symbol, more than 200 levels, 100,000 members or 1,000,000 items, more than 10 MB; or when the whole is not an
 * object.
 */
export function toJsonObject(input: unknown, argument: string): JsonObject {
  const value = toJsonValue(input, argument)
  if (!isJsonObject(value)) {
    throw invalid(argument, `must be a JSON object, not ${describe(value)}`)
  }
  return value
}

/** As `toJsonObject`, for any JSON value. `undefined` is none. */
export function toJsonValue(input: unknown, argument: string): JsonValue {
  const value = toJson(input, argument, argument, [], '')
  checkCounts(value, argument)
  const bytes = new TextEncoder().encode(JSON.stringify(value)).byteLength
  if (bytes > MAX_BYTES) {
    throw invalid(
      argument,
      `is ${bytes} bytes of JSON; at most ${MAX_BYTES} are allowed: store it as an artifact`,
    )
  }
  return value
}

/** Counts level by level, so that a deep one needs no stack. */
function checkCounts(value: JsonValue, argument: string): void {
  let [members, items] = [0, 0]
  const open: JsonValue[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const inside = Array.isArray(next) ? next : isJsonObject(next) ? Object.values(next) : []
    if (Array.isArray(next)) items += inside.length
    else members += inside.length
    for (const one of inside) if (typeof one === 'object' && one !== null) open.push(one)
  }
  const [count, limit, what] =
    members > JSON_LIMITS.members
      ? [members, JSON_LIMITS.members, 'members of objects']
      : [items, JSON_LIMITS.items, 'items of arrays']
  if (count > limit)
    throw invalid(argument, `has ${count} ${what}; at most ${limit} are allowed: store it as an artifact`)
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toJson(
  input: unknown,
  argument: string,
  path: string,
  above: readonly object[],
  key: string,
): JsonValue {
  const value = unwrap(input, key)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw invalid(argument, `has ${value} at ${path}, which JSON can't hold: use null or a string`)
    return value
  }
  if (typeof value !== 'object')
    throw invalid(argument, `has ${describe(value)} at ${path}, which JSON can't hold`)
  if (above.includes(value)) throw invalid(argument, `refers to itself at ${path}: JSON can't hold a cycle`)
  if (above.length >= MAX_DEPTH)
    throw invalid(argument, `is nested more than ${MAX_DEPTH} levels deep at ${path}`)
  const inside = [...above, value]
  if (Array.isArray(value)) {
    return value.map((item, i) =>
      isAbsent(item) ? null : toJson(item, argument, `${path}[${i}]`, inside, String(i)),
    )
  }
  const out: Record<string, JsonValue> = {}
  for (const [name, member] of Object.entries(value)) {
    if (isAbsent(member)) continue
    const converted = toJson(member, argument, `${path}.${name}`, inside, name)
    // defineProperty takes several times as long, and is needed where a key would set the prototype
    if (name !== '__proto__') out[name] = converted
    else
      Object.defineProperty(out, name, {
        value: converted,
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }
  return out
}

/** As JSON.stringify does before it looks at a value: Date and friends speak for themselves. */
function unwrap(value: unknown, key: string): unknown {
  if (
    typeof value === 'object' &&
    value !== null &&
    'toJSON' in value &&
    typeof value.toJSON === 'function'
  ) {
    return value.toJSON(key)
  }
  return value
}

/** JSON.stringify leaves such members out, and writes null for such items. */
function isAbsent(value: unknown): boolean {
  return value === undefined
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'bigint') return `the BigInt ${value}n`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function invalid(argument: string, what: string): IvcapError {
  return new IvcapError('invalid-argument', `${argument} ${what}`, { argument })
}
