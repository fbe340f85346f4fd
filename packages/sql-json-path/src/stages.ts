/**
 * Stages: the parts of a compiled path. A stage handles one item and passes what it finds to the stage after it.
 *
 * Stages are plain functions that keep their progress in their own variables. So an evaluation needs no generator and no
 * allocation for each step, and can still pause anywhere: when the budget requires a pause, a loop returns `paused` and keeps its
 * position. To resume, the caller passes the same item again, and each stage continues at its position. This works because no
 * stage is entered while it is running: the language has no recursion.
 */
import type { Budget, Work } from './budget.js'
import { FAILURE, SqlJsonPathError } from './errors.js'
import { isList, weight } from './items.js'
import { type Entry, membersOf } from './members.js'
import type { Item, JsonObject, JsonValue, Truth } from './tree.js'

/**
 * - `more`: continue with further items
 * - `enough`: no further items are needed
 * - `failed`: an error that PostgreSQL suppresses
 * - `paused`: call again with the same item
 */
export type Outcome = 'more' | 'enough' | 'failed' | 'paused'
export type Stage = (item: Item) => Outcome
export type Loop = (items: readonly Item[]) => Outcome
/** Items that a loop goes over. */
export type Source = (item: Item) => readonly Item[] | 'failed' | 'paused'

/** Replaces `paused` where the result may be a text. */
export const PAUSED = Symbol('paused')

/** Maximum number of nested steps. */
const MAX_DEPTH = 300
const NO_BUDGET: Budget = { spend: () => false }

export function assertDepth(depth: number): void {
  if (depth > MAX_DEPTH)
    throw new SqlJsonPathError(
      'too-deep',
      `the path takes more than ${MAX_DEPTH} steps inside of each other: shorten it`,
    )
}

/** State that all stages of one evaluation share. */
export class Evaluation {
  root: Item = null
  budget: Budget = NO_BUDGET
  /** Number of nested arrays that keys are unwrapping. */
  depth = 0
  #extra: JsonObject | undefined
  #ids: Map<Item, number> | undefined

  begin(root: JsonValue, extra: JsonObject | undefined, budget: Budget): void {
    this.root = root
    this.budget = budget
    this.#extra = extra
  }

  /** Drops the references to document and budget. */
  end(): void {
    this.root = null
    this.budget = NO_BUDGET
    this.#extra = undefined
    this.#ids = undefined
  }

  member(object: JsonObject, key: string): JsonValue | undefined {
    if (Object.hasOwn(object, key)) return object[key]
    if (object !== this.root || this.#extra === undefined) return undefined
    return Object.hasOwn(this.#extra, key) ? this.#extra[key] : undefined
  }

  members(object: JsonObject): Work<readonly Entry[]> {
    return membersOf(object, object === this.root ? this.#extra : undefined, this.budget)
  }

  /** Returns the same number for the same object. */
  idOf(object: JsonObject): number {
    this.#ids ??= new Map()
    const id = this.#ids.get(object) ?? this.#ids.size
    this.#ids.set(object, id)
    return id
  }
}

/** Passes on each item of a list. */
export function each(evaluation: Evaluation, next: Stage): Loop {
  let i = 0
  return (items) => {
    while (i < items.length) {
      const outcome = next(items[i] ?? null)
      if (outcome === 'paused') return outcome
      if (outcome !== 'more') {
        i = 0
        return outcome
      }
      i += 1
      if (evaluation.budget.spend(1)) return 'paused'
    }
    i = 0
    return 'more'
  }
}

/** Passes on each item of a source, which is read once. */
export function eachOf(evaluation: Evaluation, source: Source, next: Stage): Stage {
  const loop = each(evaluation, next)
  let items: readonly Item[] | undefined
  return (item) => {
    if (items === undefined) {
      const found = source(item)
      if (typeof found === 'string') return found
      items = found
    }
    const outcome = loop(items)
    if (outcome !== 'paused') items = undefined
    return outcome
  }
}

/** Passes on the value that `compute` returns, which is computed once. */
export function computed(
  evaluation: Evaluation,
  compute: (item: Item) => Item | typeof PAUSED,
  next: Stage,
): Stage {
  let value: Item | undefined
  return (item) => {
    if (value === undefined) {
      try {
        const result = compute(item)
        if (result === PAUSED) return 'paused'
        value = result
      } catch (error) {
        if (error !== FAILURE) throw error
        evaluation.budget.spend(1 + weight(item))
        return 'failed'
      }
      if (evaluation.budget.spend(1 + weight(item))) return 'paused'
    }
    const outcome = next(value)
    if (outcome !== 'paused') value = undefined
    return outcome
  }
}

/** A condition in three-valued logic: it is unknown if a part of it fails. */
export type Condition = (item: Item) => Truth | 'paused'
/** Holds the item of `@`, or the array size from which `last` is computed. */
export interface Register<T> {
  value: T
}

/** Passes on an item for which the condition is true. */
export function filtered(current: Register<Item>, condition: Condition, next: Stage): Stage {
  let passed = false
  return (item) => {
    if (!passed) {
      current.value = item
      const truth = condition(item)
      if (truth === 'paused') return truth
      if (truth !== true) return 'more'
      passed = true
    }
    const outcome = next(item)
    if (outcome !== 'paused') passed = false
    return outcome
  }
}

/** Runs work until it ends or pauses. The next call continues paused work. */
export function resumable<T, A extends readonly unknown[]>(
  start: (...args: A) => Work<T>,
): (...args: A) => T | 'paused' {
  let work: Work<T> | undefined
  return (...args) => {
    work ??= start(...args)
    const { done, value } = work.next()
    if (!done) return 'paused'
    work = undefined
    return value
  }
}

/** Collects the items that a path finds. */
export class Collector {
  #items: Item[] = []
  readonly #stage: Stage
  #isDone = false

  /**
   * @param compile compiles the path to stages that pass each item found to `found`
   * @param unwrap whether arrays are replaced by their elements
   */
  constructor(compile: (found: Stage) => Stage, unwrap: boolean, evaluation: Evaluation) {
    this.#stage = compile((item) => {
      if (unwrap && isList(item)) {
        for (const element of item) this.#items.push(element)
        evaluation.budget.spend(item.length >> 3)
      } else this.#items.push(item)
      return 'more'
    })
  }

  get items(): readonly Item[] {
    return this.#items
  }

  /** Collects the items. Does nothing if they are already collected and `clear` was not called since. */
  collect(item: Item): Collected {
    if (this.#isDone) return 'done'
    const outcome = this.#stage(item)
    if (outcome === 'paused') return outcome
    if (outcome === 'failed') {
      this.clear()
      return outcome
    }
    this.#isDone = true
    return 'done'
  }

  clear(): void {
    this.#items = []
    this.#isDone = false
  }

  /** Collects the items, returns them and clears the collector. */
  take(item: Item): readonly Item[] | 'failed' | 'paused' {
    const collected = this.collect(item)
    if (collected !== 'done') return collected
    const items = this.#items
    this.clear()
    return items
  }
}

type Collected = 'done' | 'failed' | 'paused'

/** Calls `collect` on all collectors; if one fails, clears all of them. */
export function collectAll(collectors: readonly Collector[], item: Item): Collected {
  for (const collector of collectors) {
    const collected = collector.collect(item)
    if (collected === 'done') continue
    if (collected === 'failed') for (const other of collectors) other.clear()
    return collected
  }
  return 'done'
}
