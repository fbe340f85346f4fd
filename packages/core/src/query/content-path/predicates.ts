/** Conditions, in three-valued logic: what fails inside one makes it unknown. */
import { compare, weight } from './items.js'
import type { Item, Path, Predicate, Truth } from './tree.js'

/** The evaluation of paths, as far as conditions need it. */
export interface Operands {
  readonly strict: boolean
  /** All items, in lax mode with the elements of arrays in their place; undefined where that fails. */
  items(path: Path): readonly Item[] | undefined
  /** Whether there is an item; null where that fails. */
  exists(path: Path): Truth
  spend(steps: number): void
}

/** The other side of what looks at one side only. */
const ALONE = [null]

export function decide(predicate: Predicate, operands: Operands): Truth {
  switch (predicate.type) {
    case 'and':
      return both(predicate.left, predicate.right, operands, false)
    case 'or':
      return both(predicate.left, predicate.right, operands, true)
    case 'not': {
      const truth = decide(predicate.of, operands)
      return truth === null ? null : !truth
    }
    case 'isUnknown':
      return decide(predicate.of, operands) === null
    case 'exists':
      return operands.exists(predicate.path)
    case 'compare': {
      const left = operands.items(predicate.left)
      const right = left && operands.items(predicate.right)
      return anyPair(left, right, operands, (a, b) => compare(predicate.operator, a, b))
    }
    case 'startsWith':
      return anyPair(operands.items(predicate.text), ALONE, operands, (text) =>
        typeof text === 'string' ? text.startsWith(predicate.start) : null,
      )
    case 'likeRegex':
      return anyPair(operands.items(predicate.text), ALONE, operands, (text) =>
        typeof text === 'string' ? predicate.matches(text, operands.spend) : null,
      )
  }
}

/** "And" is settled by one that is false, "or" by one that is true; otherwise one that is unknown makes all of it so. */
function both(left: Predicate, right: Predicate, operands: Operands, settles: boolean): Truth {
  const first = decide(left, operands)
  if (first === settles) return settles
  const second = decide(right, operands)
  return second === !settles ? first : second
}

/** Whether the test holds for any pair: in lax mode one that is true settles it, in strict mode one that is unknown. */
function anyPair(
  left: readonly Item[] | undefined,
  right: readonly Item[] | undefined,
  { strict, spend }: Operands,
  test: (a: Item, b: Item) => Truth,
): Truth {
  if (left === undefined || right === undefined) return null
  let result: Truth = false
  for (const a of left) {
    for (const b of right) {
      spend(1 + weight(a) + weight(b))
      const truth = test(a, b)
      if (truth === (strict ? null : true)) return truth
      if (truth !== false) result = truth
    }
  }
  return result
}
