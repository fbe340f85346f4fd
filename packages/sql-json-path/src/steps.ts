/** The steps of a path that go into objects and arrays. */
import { FAILURE } from './errors.js'
import { isLeaf, isList, isObject, subscriptIn } from './items.js'
import {
  assertDepth,
  type Collector,
  collectAll,
  type Evaluation,
  each,
  type Loop,
  type Outcome,
  type Register,
  resumable,
  type Source,
  type Stage,
} from './stages.js'
import type { Item, JsonObject, JsonValue } from './tree.js'

/**
 * Follows a sequence of keys through nested objects.
 *
 * @param unwrap whether arrays are replaced by their elements
 * @param absent the outcome if an item is not an object or does not have the key
 */
export function atKeys(
  evaluation: Evaluation,
  keys: readonly string[],
  unwrap: boolean,
  absent: Outcome,
  next: Stage,
): Stage {
  const steps = keys.length >> 3
  /** For each key: the loop over the elements of an array that is found in place of an object. */
  const loops: (Loop | undefined)[] = []
  const loopAt = (index: number): Loop => {
    const loop = each(evaluation, (item) => follow(item, index, false))
    loops[index] = loop
    return loop
  }
  const follow = (start: Item, from: number, unwrapFirst: boolean): Outcome => {
    let item = start
    for (let i = from; i < keys.length; i++) {
      if (isObject(item)) {
        const value = evaluation.member(item, keys[i] ?? '')
        if (value === undefined) return absent
        item = value
      } else if (isList(item) && (i === from ? unwrapFirst : unwrap)) {
        evaluation.depth += 1
        assertDepth(evaluation.depth)
        const outcome = (loops[i] ?? loopAt(i))(item)
        evaluation.depth -= 1
        return outcome
      } else return absent
    }
    if (steps > 0) evaluation.budget.spend(steps)
    return next(item)
  }
  return (item) => follow(item, 0, unwrap)
}

/** The values of an object's members, or the elements of an array. */
export function childrenOf(
  evaluation: Evaluation,
): (parent: readonly JsonValue[] | JsonObject) => readonly JsonValue[] | 'paused' {
  const entries = resumable((parent: JsonObject) => evaluation.members(parent))
  return (parent) => {
    if (isList(parent)) return parent
    const found = entries(parent)
    return found === 'paused' ? found : found.map(([, value]) => value)
  }
}

/** Items for `.keyvalue()`: one for each member. */
export function keyValues(evaluation: Evaluation): Source {
  const entries = resumable((parent: JsonObject) => evaluation.members(parent))
  return (item) => {
    if (!isObject(item)) return 'failed'
    const found = entries(item)
    if (found === 'paused') return found
    const id = evaluation.idOf(item)
    return found.map(([key, value]) => ({ id, key, value }))
  }
}

/** `.**`: passes on an item and its descendants, parents first. */
export function descendants(
  evaluation: Evaluation,
  { first, last }: { readonly first: number; readonly last: number },
  next: Stage,
): Stage {
  const onlyLeaves = first === Number.POSITIVE_INFINITY && last === first
  const children = childrenOf(evaluation)
  /** For each level below the top: its items, and the index of the next one. */
  let levels: { readonly items: readonly Item[]; next: number }[] = []
  let parent: Item | undefined
  let began = false

  const top = (item: Item): Outcome => {
    const outcome = first === 0 ? next(item) : 'more'
    // PostgreSQL ignores a failure at the top if the item is an object or an array
    return outcome === 'failed' && !isLeaf(item) ? 'more' : outcome
  }
  const below = (): Outcome => {
    for (;;) {
      if (parent !== undefined && !isLeaf(parent) && levels.length < last) {
        assertDepth(levels.length + 1)
        const items = children(parent)
        if (items === 'paused') return items
        levels.push({ items, next: 0 })
      }
      parent = undefined
      const level = levels.at(-1)
      if (level === undefined) return 'more'
      if (level.next === level.items.length) {
        levels.pop()
        continue
      }
      const child = level.items[level.next] ?? null
      if (levels.length >= first || (onlyLeaves && isLeaf(child))) {
        const outcome = next(child)
        if (outcome !== 'more') return outcome
      }
      level.next += 1
      parent = child
      if (evaluation.budget.spend(1)) return 'paused'
    }
  }
  return (item) => {
    let outcome: Outcome = 'more'
    if (!began) {
      outcome = top(item)
      if (outcome === 'more') {
        began = true
        parent = item
      }
    }
    if (outcome === 'more') outcome = below()
    if (outcome !== 'paused') {
      levels = []
      parent = undefined
      began = false
    }
    return outcome
  }
}

/**
 * `[…]`: passes on the elements that the subscripts select.
 *
 * @param subscripts for each subscript: the index of the first element, and for a range that of the last one
 * @param size is set to the number of elements
 * @param wrap whether an item that is not an array counts as an array of one element
 * @param absent the outcome for an item that is not an array, and for missing elements
 */
export function atSubscripts(
  evaluation: Evaluation,
  subscripts: readonly (readonly Collector[])[],
  size: Register<number>,
  wrap: boolean,
  absent: Outcome,
  next: Stage,
): Stage {
  let position = 0
  let range: { next: number; readonly end: number } | undefined
  const reset = (outcome: Outcome): Outcome => {
    if (outcome === 'paused') return outcome
    position = 0
    range = undefined
    return outcome
  }
  const pass = (list: readonly Item[], item: Item): Outcome => {
    for (let bounds = subscripts[position]; bounds !== undefined; bounds = subscripts[position]) {
      if (range === undefined) {
        const collected = collectAll(bounds, item)
        if (collected !== 'done') return collected
        const read = boundsIn(bounds)
        if (read === undefined) return 'failed'
        const [from, to] = read
        if (absent === 'failed' && (from < 0 || from > to || to >= list.length)) return 'failed'
        range = { next: Math.max(from, 0), end: Math.min(to, list.length - 1) }
      }
      while (range.next <= range.end) {
        const outcome = next(list[range.next] ?? null)
        if (outcome !== 'more') return outcome
        range.next += 1
        if (evaluation.budget.spend(1)) return 'paused'
      }
      range = undefined
      position += 1
    }
    return 'more'
  }
  return (item) => {
    if (!isList(item) && !wrap) return absent
    const list = isList(item) ? item : [item]
    size.value = list.length
    return reset(pass(list, item))
  }
}

function boundsIn(collectors: readonly Collector[]): readonly [from: number, to: number] | undefined {
  try {
    const [from = 0, to = from] = collectors.map(({ items }) => subscriptIn(items))
    return [from, to]
  } catch (error) {
    if (error !== FAILURE) throw error
    return undefined
  } finally {
    for (const collector of collectors) collector.clear()
  }
}
