/** The conditions of filters. Like stages, they keep their progress and can pause. */
import { isList, isObject, weight } from './items.js'
import { type Collector, type Condition, collectAll, type Evaluation, type Stage } from './stages.js'
import type { Item, Truth } from './tree.js'

/** A comparison of one item with another, or a test of the first alone. */
export type PairTest = (left: Item, right: Item) => Truth | 'paused'

/** The path failed. */
const FAILED = Symbol('failed')
/** There is an array to unwrap. */
const LIST = Symbol('list')

/** The only item that a path finds; undefined if it finds none. */
export type Direct = (item: Item) => Item | undefined | typeof FAILED | typeof LIST

/** A side of a comparison. */
export interface Operand {
  readonly collector: Collector
  /** Only for a path of keys. Used instead of the collector unless there is an array to unwrap. */
  readonly direct?: Direct
}

/**
 * Joins conditions by `&&` or `||`.
 *
 * @param settles the truth of one condition that decides the result: false for `&&`, true for `||`
 */
export function joined(conditions: readonly Condition[], settles: boolean): Condition {
  let position = 0
  let truth: Truth = !settles
  return (item) => {
    for (let next = conditions[position]; next !== undefined; next = conditions[position]) {
      const found = next(item)
      if (found === 'paused') return found
      position += 1
      if (found !== !settles) truth = found
      if (truth === settles) break
    }
    const result = truth
    position = 0
    truth = !settles
    return result
  }
}

export function negated(condition: Condition): Condition {
  return (item) => {
    const truth = condition(item)
    return truth === null || truth === 'paused' ? truth : !truth
  }
}

export function isUnknown(condition: Condition): Condition {
  return (item) => {
    const truth = condition(item)
    return truth === 'paused' ? truth : truth === null
  }
}

/**
 * Whether a path finds anything. In strict mode the whole path is evaluated, because any error makes the result unknown.
 *
 * @param compile compiles the path to stages that pass each item found to `found`
 */
export function exists(compile: (found: Stage) => Stage, strict: boolean): Condition {
  let found = false
  const stage = compile(() => {
    found = true
    return strict ? 'more' : 'enough'
  })
  return (item) => {
    const outcome = stage(item)
    if (outcome === 'paused') return outcome
    const result = found
    found = false
    return outcome === 'failed' ? null : result
  }
}

/** Follows keys from the item that `head` returns. */
export function direct(
  evaluation: Evaluation,
  head: (item: Item) => Item,
  keys: readonly string[],
  { unwrap, tolerant }: { readonly unwrap: boolean; readonly tolerant: boolean },
): Direct {
  const absent = tolerant ? undefined : FAILED
  return (start) => {
    let item = head(start)
    for (const key of keys) {
      if (!isObject(item)) return unwrap && isList(item) ? LIST : absent
      const value = evaluation.member(item, key)
      if (value === undefined) return absent
      item = value
    }
    return unwrap && isList(item) ? LIST : item
  }
}

/**
 * Whether the test holds for any pair of items. One pair settles the result: in lax mode a pair for which the test is true, in
 * strict mode a pair for which it is unknown.
 *
 * @param right absent for a test of the left side only
 */
export function anyPair(
  evaluation: Evaluation,
  test: PairTest,
  left: Operand,
  right: Operand | undefined,
  strict: boolean,
): Condition {
  const slow = everyPair(evaluation, test, left.collector, right?.collector, strict)
  const leftDirect = left.direct
  const rightDirect = right === undefined ? alone : right.direct
  if (leftDirect === undefined || rightDirect === undefined) return slow
  return (item) => {
    const a = leftDirect(item)
    const b = rightDirect(item)
    if (a === LIST || b === LIST) return slow(item)
    if (a === FAILED || b === FAILED) return null
    if (a === undefined || b === undefined) return false
    const truth = test(a, b)
    if (truth !== 'paused') evaluation.budget.spend(1 + weight(a) + weight(b))
    return truth
  }
}

const alone: Direct = () => null

function everyPair(
  evaluation: Evaluation,
  test: PairTest,
  left: Collector,
  right: Collector | undefined,
  strict: boolean,
): Condition {
  const sides = right === undefined ? [left] : [left, right]
  const settles = strict ? null : true
  let [i, j] = [0, 0]
  let truth: Truth = false
  const compareAll = (): Truth | 'paused' => {
    const others = right?.items ?? [null]
    for (; i < left.items.length; i++) {
      const a = left.items[i] ?? null
      while (j < others.length) {
        const b = others[j] ?? null
        const found = test(a, b)
        if (found === 'paused' || found === settles) return found
        if (found !== false) truth = found
        j += 1
        if (evaluation.budget.spend(1 + weight(a) + weight(b))) return 'paused'
      }
      j = 0
    }
    return truth
  }
  return (item) => {
    const outcome = collectAll(sides, item)
    if (outcome === 'paused') return outcome
    if (outcome === 'failed') return null
    const result = compareAll()
    if (result === 'paused') return result
    i = 0
    j = 0
    truth = false
    for (const side of sides) side.clear()
    return result
  }
}
