/** Compiles a parsed path to stages. */
import {
  anyPair,
  direct,
  exists,
  isUnknown,
  joined,
  negated,
  type Operand,
  type PairTest,
} from './conditions.js'
import { fail } from './errors.js'
import { comparison, isList, isNumber, isObject, single, weight } from './items.js'
import { convert } from './numbers/conversions.js'
import { calculate, Decimal } from './numbers/decimal.js'
import type { ParsedPath } from './parser.js'
import {
  assertDepth,
  Collector,
  type Condition,
  collectAll,
  computed,
  type Evaluation,
  each,
  eachOf,
  filtered,
  type Outcome,
  PAUSED,
  type Register,
  resumable,
  type Stage,
} from './stages.js'
import { atKeys, atSubscripts, childrenOf, descendants, keyValues } from './steps.js'
import type { Item, Path, Predicate, Step, Truth } from './tree.js'

/** The context of a step. */
interface Scope {
  /** `@` */
  readonly current: Register<Item>
  /** Number of elements of the array whose subscripts are read: `last` is one less. */
  readonly size: Register<number>
  /** The outcome for a missing member or element: `more` in lax mode and below `.**`, `failed` in strict mode. */
  readonly absent: Outcome
  /** Steps that enclose or precede this one. */
  readonly depth: number
}

/** Passes each item that a path finds to `found`. */
export function compileSelection({ strict, path }: ParsedPath, evaluation: Evaluation, found: Stage): Stage {
  const compiler = new Compiler(strict, evaluation)
  return compiler.path(path, compiler.outermost, found)
}

/** Whether a path finds anything in the evaluation's document; null if it fails. */
export function compileExistence(parsed: ParsedPath, evaluation: Evaluation): Condition {
  const compiler = new Compiler(parsed.strict, evaluation)
  return compiler.condition({ type: 'exists', path: parsed.path }, compiler.outermost)
}

class Compiler {
  readonly outermost: Scope
  readonly #strict: boolean
  readonly #evaluation: Evaluation

  constructor(strict: boolean, evaluation: Evaluation) {
    this.#strict = strict
    this.#evaluation = evaluation
    const size = { value: 0 }
    this.outermost = { current: { value: null }, size, absent: strict ? 'failed' : 'more', depth: 0 }
  }

  /**
   * The stages of a path, from the step at `index`.
   *
   * @param found receives each item that the path finds
   * @param existence whether only the existence of an item matters
   */
  path(path: Path, scope: Scope, found: Stage, existence = false, index = 0): Stage {
    const step = path[index]
    if (step === undefined) return found
    if (step.type === 'key') {
      const keys = keysFrom(path, index)
      const next = this.path(path, scope, found, existence, index + keys.length)
      return atKeys(this.#evaluation, keys, !this.#strict, scope.absent, next)
    }
    const head = this.#head(step, scope)
    if (head !== undefined) {
      const next = this.path(path, scope, found, existence, index + 1)
      return (item) => next(head(item))
    }
    assertDepth(scope.depth + 1)
    const inner = { ...scope, depth: scope.depth + 1 }
    const isLast = index === path.length - 1
    const rest = (within: Scope): Stage => this.path(path, within, found, existence, index + 1)
    return this.#step(step, inner, rest, existence && isLast)
  }

  condition(predicate: Predicate, scope: Scope): Condition {
    switch (predicate.type) {
      case 'and':
      case 'or': {
        const conditions = operandsOf(predicate, predicate.type).map((part) => this.condition(part, scope))
        return joined(conditions, predicate.type === 'or')
      }
      case 'not':
        return negated(this.condition(predicate.of, scope))
      case 'isUnknown':
        return isUnknown(this.condition(predicate.of, scope))
      case 'exists':
        return exists((found) => this.path(predicate.path, scope, found, !this.#strict), this.#strict)
      case 'compare':
        return this.#anyPair(comparison(predicate.operator), predicate.left, predicate.right, scope)
      case 'startsWith': {
        const { start } = predicate
        const test: PairTest = (text) => (typeof text === 'string' ? text.startsWith(start) : null)
        return this.#anyPair(test, predicate.text, undefined, scope)
      }
      case 'likeRegex': {
        const matches = resumable((text: string) => predicate.matches(text, this.#evaluation.budget))
        const test: PairTest = (text) => (typeof text === 'string' ? matches(text) : null)
        return this.#anyPair(test, predicate.text, undefined, scope)
      }
    }
  }

  #anyPair(test: PairTest, left: Path, right: Path | undefined, scope: Scope): Condition {
    const other = right && this.#operand(right, scope)
    return anyPair(this.#evaluation, test, this.#operand(left, scope), other, this.#strict)
  }

  /** A step that ignores the item that it is given. */
  #head(step: Step, { current, size }: Scope): ((item: Item) => Item) | undefined {
    switch (step.type) {
      case 'root':
        return () => this.#evaluation.root
      case 'current':
        return () => current.value
      case 'last':
        return () => size.value - 1
      case 'literal':
        return () => step.value
      default:
        return undefined
    }
  }

  #step(step: Step, scope: Scope, rest: (within: Scope) => Stage, existence: boolean): Stage {
    const evaluation = this.#evaluation
    const { absent } = scope
    switch (step.type) {
      case 'anyKey': {
        const children = childrenOf(evaluation)
        const values = eachOf(evaluation, (item) => (isObject(item) ? children(item) : 'failed'), rest(scope))
        return this.#unwrapping((item) => (isObject(item) ? values(item) : absent))
      }
      case 'anyItem': {
        const next = rest(scope)
        const elements = each(evaluation, next)
        return (item) => (isList(item) ? elements(item) : this.#strict ? absent : next(item))
      }
      case 'size': {
        const next = rest(scope)
        return (item) => (isList(item) ? next(item.length) : this.#strict ? absent : next(1))
      }
      case 'index': {
        const within = { ...scope, size: { value: 0 } }
        const subscripts = step.subscripts.map(({ from, to }) =>
          (to === undefined ? [from] : [from, to]).map((path) => this.#collector(path, within, false)),
        )
        return atSubscripts(evaluation, subscripts, within.size, !this.#strict, absent, rest(within))
      }
      case 'descend':
        return descendants(evaluation, step, rest({ ...scope, absent: 'more' }))
      case 'filter': {
        const current = { value: null }
        const condition = this.condition(step.condition, { ...scope, current })
        return this.#unwrapping(filtered(current, condition, rest(scope)))
      }
      case 'convert': {
        const stage = computed(evaluation, (item) => convert(step.method, item, step.args), rest(scope))
        return step.method === 'type' ? stage : this.#unwrapping(stage)
      }
      case 'keyvalue':
        return this.#unwrapping(eachOf(evaluation, keyValues(evaluation), rest(scope)))
      case 'predicate': {
        const condition = this.condition(step.predicate, scope)
        return computed(evaluation, (item) => orPaused(condition(item)), rest(scope))
      }
      case 'sign':
        return this.#sign(step, scope, rest(scope), existence)
      case 'arithmetic': {
        const [left, right] = [
          this.#collector(step.left, scope, true),
          this.#collector(step.right, scope, true),
        ]
        return computed(evaluation, (item) => this.#calculate(step, left, right, item), rest(scope))
      }
      default:
        throw new TypeError(`the step ${step.type} is compiled elsewhere`)
    }
  }

  #sign(
    { operand, negative }: Step & { type: 'sign' },
    scope: Scope,
    next: Stage,
    existence: boolean,
  ): Stage {
    const collector = this.#collector(operand, scope, true)
    const sign = (item: Item): Item => {
      const number = isNumber(item) ? Decimal.from(item) : fail()
      return negative ? number.negated() : number
    }
    const signed = computed(this.#evaluation, sign, next)
    // if only existence matters and no step follows, PostgreSQL skips items that are not numbers
    const stage: Stage = (item) => (existence && !isNumber(item) ? 'more' : signed(item))
    return eachOf(this.#evaluation, (item) => collector.take(item), stage)
  }

  #calculate(
    { operator }: Step & { type: 'arithmetic' },
    left: Collector,
    right: Collector,
    item: Item,
  ): Item | typeof PAUSED {
    const outcome = collectAll([left, right], item)
    if (outcome !== 'done') return outcome === 'paused' ? PAUSED : fail()
    const [a, b] = [left.items, right.items]
    left.clear()
    right.clear()
    const [first, second] = [Decimal.from(single(a)), Decimal.from(single(b))]
    this.#evaluation.budget.spend(weight(first) + weight(second))
    return calculate(operator, first, second)
  }

  /** In lax mode an array is replaced by its elements. */
  #unwrapping(stage: Stage): Stage {
    if (this.#strict) return stage
    const elements = each(this.#evaluation, stage)
    return (item) => (isList(item) ? elements(item) : stage(item))
  }

  /** @param values whether arrays are replaced by their elements in lax mode */
  #collector(path: Path, scope: Scope, values: boolean): Collector {
    const unwrap = values && !this.#strict
    return new Collector((found) => this.path(path, scope, found), unwrap, this.#evaluation)
  }

  #operand(path: Path, scope: Scope): Operand {
    const collector = this.#collector(path, scope, true)
    const [first] = path
    const head = first && this.#head(first, scope)
    const keys = keysFrom(path, 1)
    if (head === undefined || keys.length < path.length - 1) return { collector }
    const tolerant = scope.absent === 'more'
    return { collector, direct: direct(this.#evaluation, head, keys, { unwrap: !this.#strict, tolerant }) }
  }
}

/** The keys that follow each other in a path. */
function keysFrom(path: Path, start: number): readonly string[] {
  const keys: string[] = []
  for (let step = path[start]; step?.type === 'key'; step = path[start + keys.length]) keys.push(step.key)
  return keys
}

/** Returns the conditions that `&&` or `||` joins, without recursion: a path may join more of them than the call stack can hold. */
function operandsOf(predicate: Predicate, type: 'and' | 'or'): readonly Predicate[] {
  const operands: Predicate[] = []
  let left = predicate
  while (left.type === type) {
    operands.push(left.right)
    left = left.left
  }
  return [left, ...operands.reverse()]
}

const orPaused = (truth: Truth | 'paused'): Truth | typeof PAUSED => (truth === 'paused' ? PAUSED : truth)
