import { IvcapError } from './errors.js'
import { isPlain } from './options.js'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/**
 * JSON input of a caller: plain objects, arrays, texts, numbers, booleans and null. `Date` and other objects with `toJSON` are
 * converted as `JSON.stringify` does; `undefined` members are omitted. Values that `JSON.stringify` would silently change are
 * refused: Map, Set, boxed values, typed arrays, instances of classes without `toJSON`, `undefined` and holes in arrays.
 */
export type JsonInput = object

/**
 * Limits of JSON values, here and in request bodies: an aspect is a description, not a table. Processing one member of an object
 * takes as long as fifty bytes of text. Deep nesting causes recursion in readers of other languages.
 */
export const JSON_LIMITS = {
  /** Levels of nesting. */
  depth: 200,
  /** Members of all objects together. */
  members: 100_000,
  /** Items of all arrays together. */
  items: 1_000_000,
} as const
const MAX_DEPTH = JSON_LIMITS.depth
/** Maximum bytes of UTF-8 JSON: an aspect is a description, not a blob. */
const MAX_BYTES = 10_000_000

/**
 * Converts `input` to a plain JSON object. The result is a deep copy, so later changes of the input do not affect it.
 *
 * @throws IvcapError `invalid-argument` if `input` is not an object, or, with its path, for a value that JSON can't hold: NaN,
 * Infinity, BigInt, an invalid Date, a cycle, a function, a symbol, an instance of a class without `toJSON`, `undefined` in an
 * array, or a value that throws when it is read. Also for more than 200 levels, 100,000 members, 1,000,000 items or 10 MB.
 */
export function toJsonObject(input: unknown, argument: string): JsonObject {
  const value = toJsonValue(input, argument)
  if (!isJsonObject(value)) {
    throw invalid(argument, `must be a JSON object, not ${describe(value)}`)
  }
  return value
}

/** As `toJsonObject`, for any JSON value. Refuses `undefined`. */
export function toJsonValue(input: unknown, argument: string): JsonValue {
  const value = readJson(input, argument)
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

/** Counts members and items without recursion, so that a deep value needs no stack. */
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

function readJson(input: unknown, argument: string): JsonValue {
  try {
    return toJson(input, argument, argument, [], '')
  } catch (cause) {
    if (cause instanceof IvcapError) throw cause
    throw invalid(argument, 'cannot be read: a proxy in it throws', cause)
  }
}

/** Parses a JSON text; returns undefined if it is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
  const value = unwrap(input, { argument, path, key })
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw invalid(argument, `has ${value} at ${path}, which JSON can't hold: use null or a string`)
    return value
  }
  if (typeof value !== 'object')
    throw invalid(argument, `has ${describe(value)} at ${path}, which JSON can't hold${remedy(value)}`)
  if (above.includes(value)) throw invalid(argument, `refers to itself at ${path}: JSON can't hold a cycle`)
  if (above.length >= MAX_DEPTH)
    throw invalid(argument, `is nested more than ${MAX_DEPTH} levels deep at ${path}`)
  const inside = [...above, value]
  if (Array.isArray(value)) {
    // by index, since map() would skip holes
    return Array.from({ length: value.length }, (_, i) =>
      toJson(member(value, i, argument, path), argument, `${path}[${i}]`, inside, String(i)),
    )
  }
  if (!isPlain(value))
    throw invalid(argument, `has ${describe(value)} at ${path}, which JSON can't hold${remedy(value)}`)
  const out: Record<string, JsonValue> = {}
  for (const name of Object.keys(value)) {
    const inner = member(value, name, argument, path)
    if (inner === undefined) continue
    const converted = toJson(inner, argument, `${path}.${name}`, inside, name)
    // defineProperty is several times slower, and only needed for the key that would set the prototype
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

/** As JSON.stringify, first calls `toJSON` of a Date or another object that has it. */
function unwrap(
  value: unknown,
  { argument, path, key }: { readonly argument: string; readonly path: string; readonly key: string },
): unknown {
  if ((typeof value !== 'object' && typeof value !== 'bigint') || value === null) return value
  try {
    const toJSON: unknown = Reflect.get(Object(value), 'toJSON')
    if (typeof toJSON !== 'function') return value
    const json: unknown = Reflect.apply(toJSON, value, [key])
    if (json !== null || Object.prototype.toString.call(value) !== '[object Date]') return json
  } catch (cause) {
    throw invalid(argument, `has something at ${path} whose toJSON throws`, cause)
  }
  throw invalid(argument, `has an invalid Date at ${path}: JSON.stringify would make it null`)
}

function member(value: object, name: string | number, argument: string, path: string): unknown {
  try {
    return Reflect.get(value, name)
  } catch (cause) {
    const at = typeof name === 'number' ? `${path}[${name}]` : `${path}.${name}`
    throw invalid(argument, `has something at ${at} that throws when it is read`, cause)
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'bigint') return `the BigInt ${value}n`
  if (value === undefined) return 'undefined'
  return typeof value === 'object' && value !== null ? instance(value) : `a ${typeof value}`
}

function instance(value: object): string {
  if (isPlain(value)) return 'an object'
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  const name = tag === 'Object' ? constructorName(value) : tag
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

function constructorName(value: object): string {
  const made: unknown = Reflect.get(value, 'constructor')
  return typeof made === 'function' && made.name !== '' ? made.name : 'instance of a class'
}

/** Advice for the error message: what to store instead. */
function remedy(value: unknown): string {
  if (typeof value === 'bigint') return ': use a string, or Number(…)'
  if (value === undefined) return ' in an array: use null'
  if (typeof value !== 'object' || value === null) return ''
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag === 'Map') return ': use Object.fromEntries(map)'
  if (tag === 'Set' || ArrayBuffer.isView(value)) return ': use an array, e.g. Array.from(…)'
  if (tag === 'Number' || tag === 'String' || tag === 'Boolean')
    return ': use the plain value, e.g. by valueOf()'
  return ': use a plain object, or give its class a toJSON'
}

function invalid(argument: string, what: string, cause?: unknown): IvcapError {
  return new IvcapError('invalid-argument', `${argument} ${what}`, { argument, cause })
}
