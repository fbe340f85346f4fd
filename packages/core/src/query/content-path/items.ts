/** What items are, and how they compare. */
import type { JsonObject, JsonValue } from '../../model/json.js'
import type { Work, WorkBudget } from '../work.js'
import { Decimal } from './decimal.js'
import { fail } from './failure.js'
import type { Comparison, Item, Truth } from './tree.js'

const SUBSCRIPT_BITS = 32

export type NumberItem = number | Decimal

export const isNumber = (item: Item): item is NumberItem =>
  typeof item === 'number' || item instanceof Decimal

export const isList = (item: Item): item is readonly JsonValue[] => Array.isArray(item)

export const isObject = (item: Item): item is JsonObject =>
  typeof item === 'object' && item !== null && !isList(item) && !(item instanceof Decimal)

/** What holds nothing else. */
export const isLeaf = (item: Item): item is Exclude<Item, readonly JsonValue[] | JsonObject> =>
  !isList(item) && !isObject(item)

/** The only one, a number. @throws FAILURE for anything else */
export function single(items: readonly Item[]): NumberItem {
  const [item = null] = items
  return items.length === 1 && isNumber(item) ? item : fail()
}

/** The only one, as the number of an element. @throws FAILURE for anything else */
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

/** Unknown for what can't be compared: arrays, objects, different types. Null differs from everything else. */
export function compare(operator: Comparison, a: Item, b: Item): Truth {
  if (a === null || b === null) {
    if (a === b) return operator === '==' || operator === '<=' || operator === '>='
    return operator === '!='
  }
  const order = orderOf(a, b)
  if (order === null) return null
  switch (operator) {
    case '==':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

function orderOf(a: Item, b: Item): number | null {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (isNumber(a) && isNumber(b)) return Decimal.from(a).compare(Decimal.from(b))
  return null
}

/** By code point, which is also the order of UTF-8's bytes; JavaScript's own order is by UTF-16 unit. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for what comes after all other units. */
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)

type Entry = readonly [key: string, value: JsonValue]
type Keyed = { readonly entry: Entry; readonly bytes: number }

/** Keys of which so many are put in order without a pause, and how many characters such a key may have. */
const FEW = 64
const SHORT = 256

/** Members of an object in the order in which PostgreSQL keeps them: the short ones first. */
export function* inStoredOrder(entries: readonly Entry[], budget: WorkBudget): Work<readonly Entry[]> {
  if (entries.length < 2) return entries
  const keyed: Keyed[] = []
  let isSmall = entries.length <= FEW
  for (const entry of entries) {
    const [key] = entry
    isSmall &&= key.length <= SHORT
    if (budget.spend(key.length >> 5)) yield
    keyed.push({ entry, bytes: byteLength(key) })
  }
  const sorted = isSmall ? keyed.sort(compareKeyed) : yield* merged(keyed, budget)
  return sorted.map(({ entry }) => entry)
}

/** Sorts by merging, as the sort of the language can't pause. */
function* merged(items: readonly Keyed[], budget: WorkBudget): Work<readonly Keyed[]> {
  let from = items
  for (let width = 1; width < items.length; width *= 2) {
    const to: Keyed[] = []
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length)
      const end = Math.min(middle + width, from.length)
      let [left, right] = [start, middle]
      for (let a = from[left], b = from[right]; left < middle || right < end; ) {
        const takesLeft = right >= end || (left < middle && a && b && compareKeyed(a, b) <= 0)
        const next = takesLeft ? a : b
        if (next === undefined) break
        if (budget.spend(1 + (next.bytes >> 5))) yield
        to.push(next)
        if (takesLeft) a = from[++left]
        else b = from[++right]
      }
    }
    from = to
  }
  return from
}

const compareKeyed = (a: Keyed, b: Keyed): number => a.bytes - b.bytes || compareText(a.entry[0], b.entry[0])

/** In UTF-8, where both halves of a surrogate pair count for two. */
function byteLength(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1
  }
  return bytes
}

/** Steps that looking at an item costs, beside the step that does it. */
export function weight(item: Item): number {
  if (typeof item === 'string') return item.length >> 5
  return item instanceof Decimal ? item.words << 3 : 0
}
