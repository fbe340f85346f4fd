/** Types of items, and their comparison. */
import { fail } from './errors.js'
import { Decimal } from './numbers/decimal.js'
import type { Comparison, Item, JsonObject, JsonValue, Truth } from './tree.js'

const SUBSCRIPT_BITS = 32

export type NumberItem = number | Decimal

export const isNumber = (item: Item): item is NumberItem =>
  typeof item === 'number' || item instanceof Decimal

export const isList = (item: Item): item is readonly JsonValue[] => Array.isArray(item)

export const isObject = (item: Item): item is JsonObject =>
  typeof item === 'object' && item !== null && !isList(item) && !(item instanceof Decimal)

/** Neither array nor object. */
export const isLeaf = (item: Item): item is Exclude<Item, readonly JsonValue[] | JsonObject> =>
  !isList(item) && !isObject(item)

/** Returns the only item, which must be a number. @throws FAILURE otherwise */
export function single(items: readonly Item[]): NumberItem {
  const [item = null] = items
  return items.length === 1 && isNumber(item) ? item : fail()
}

/** Returns the only item, which must be a number, as the index of an element. @throws FAILURE otherwise */
export function subscriptIn(items: readonly Item[]): number {
  const index = Decimal.from(single(items)).truncated()
  return BigInt.asIntN(SUBSCRIPT_BITS, index) === index ? Number(index) : fail()
}

export function typeOf(item: Item): string {
  if (item === null) return 'null'
  if (isNumber(item)) return 'number'
  if (isList(item)) return 'array'
  return typeof item
}

/** For each operator: whether it holds for less, equal, greater. */
const HOLDS: Record<Comparison, readonly [less: boolean, equal: boolean, greater: boolean]> = {
  '==': [false, true, false],
  '!=': [true, false, true],
  '<': [true, false, false],
  '<=': [true, true, false],
  '>': [false, false, true],
  '>=': [false, true, true],
}

/** The result is unknown if items can't be compared: arrays, objects, different types. Null differs from every other item. */
export function comparison(operator: Comparison): (a: Item, b: Item) => Truth {
  const [less, equal, greater] = HOLDS[operator]
  return (a, b) => {
    if (a === null || b === null) return a === b ? equal : less && greater
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : orderOf(a, b)
    if (order === null) return null
    return order < 0 ? less : order > 0 ? greater : equal
  }
}

function orderOf(a: Item, b: Item): number | null {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (isNumber(a) && isNumber(b)) return Decimal.from(a).compare(Decimal.from(b))
  return null
}

/** Compares by code point, which is also the order of the UTF-8 bytes; JavaScript compares by UTF-16 unit. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates encode code points that come after all others. */
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)

/** Steps that reading an item costs, in addition to the first one. */
export function weight(item: Item): number {
  if (typeof item === 'string') return item.length >> 5
  return item instanceof Decimal ? item.words << 3 : 0
}
