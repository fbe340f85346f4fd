/**
 * Stages: the parts of a compiled path. A stage handles one item and passes what it finds to the stage after it.
 *
 * Stages are plain functions that keep their progress in variables of their own, so that evaluation runs without a generator
 * or an allocation for each step, and can still pause anywhere: where the budget asks for a pause, a loop returns `paused` and
 * remembers where it stands. To resume, the caller passes the same item again, and each stage continues where it was. This
 * works because no stage is entered twice at a time: the language has no recursion.
 */
import type { Budget, Work } from './budget.js'
import { FAILURE, SqlJsonPathError } from './errors.js'
import { isLeaf, isList, isObject, subscriptIn, weight } from './items.js'
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
type Loop = (items: readonly Item[]) => Outcome
/** Items that a loop goes over. */
type Source = (item: Item) => readonly Item[] | 'failed' | 'paused'

/** Stands for `paused` where a text may be a result. */
export const PAUSED = Symbol('paused')

/** Steps inside of each other. */
const MAX_DEPTH = 300
const NO_BUDGET: Budget = { spend: () => false }

export function assertDepth(depth: number): void {
  if (depth > MAX_DEPTH)
    throw new SqlJsonPathError(
      'too-deep',
      `the path takes more than ${MAX_DEPTH} steps inside of each other: shorten it`,
    )
}

/** What all stages of one evaluation share. */
export class Evaluation {
  root: Item = null
  budget: Budget = NO_BUDGET
  /** Arrays that are unwrapped inside of each other, by keys. */
  depth = 0
  #extra: JsonObject | undefined
  #ids: Map<Item, number> | undefined

  begin(root: JsonValue, extra: JsonObject | undefined, budget: Budget): void {
    this.root = root
    this.budget = budget
    this.#extra = extra
  }

  /** Releases the document. */
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

  /** The same number for the same object. */
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

/** Passes on what is computed of an item. */
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
        return 'failed'
      }
      if (evaluation.budget.spend(weight(item))) return 'paused'
    }
    const outcome = next(value)
    if (outcome !== 'paused') value = undefined
    return outcome
  }
}

/** A condition in three-valued logic: what fails inside makes it unknown. */
export type Condition = (item: Item) => Truth | 'paused'
/** Holds what `@` or `last` stands for. */
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

/**
 * Follows keys as far as objects go.
 *
 * @param unwrap whether arrays stand for their elements
 * @param absent the outcome where there is no object with the key
 */
export function atKeys(
  evaluation: Evaluation,
  keys: readonly string[],
  unwrap: boolean,
  absent: Outcome,
  next: Stage,
): Stage {
  const steps = keys.length >> 3
  /** For each key: what goes over an array that stands where an object is expected. */
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

/** Runs work until it ends or pauses; continues it when it is called again. */
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

/** `.**`: passes on an item and what is below it, parents first. */
export function descendants(
  evaluation: Evaluation,
  { first, last }: { readonly first: number; readonly last: number },
  next: Stage,
): Stage {
  const onlyLeaves = first === Number.POSITIVE_INFINITY && last === first
  const children = childrenOf(evaluation)
  /** For each level below the top: its items, and which of them is next. */
  let levels: { readonly items: readonly Item[]; next: number }[] = []
  let parent: Item | undefined
  let began = false

  const top = (item: Item): Outcome => {
    const outcome = first === 0 ? next(item) : 'more'
    // PostgreSQL ignores a failure at the top if there is something below
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

/** Collects the items that a path finds. */
export class Collector {
  #items: Item[] = []
  readonly #stage: Stage
  #isDone = false

  /**
   * @param compile makes the path's stages; they pass what they find to its argument
   * @param unwrap whether arrays stand for their elements
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

  /** Collects once, until the next `clear`. */
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

  /** Collects the items and hands them over. */
  take(item: Item): readonly Item[] | 'failed' | 'paused' {
    const collected = this.collect(item)
    if (collected !== 'done') return collected
    const items = this.#items
    this.clear()
    return items
  }
}

type Collected = 'done' | 'failed' | 'paused'

/** Collects with all of them; if one fails, clears them all. */
export function collectAll(collectors: readonly Collector[], item: Item): Collected {
  for (const collector of collectors) {
    const collected = collector.collect(item)
    if (collected === 'done') continue
    if (collected === 'failed') for (const other of collectors) other.clear()
    return collected
  }
  return 'done'
}

/**
 * `[…]`: passes on the elements that the subscripts name.
 *
 * @param subscripts for each: the first element, and the last one unless it is the same
 * @param size is set to the number of elements
 * @param absent the outcome for what is no array, and for elements that aren't there
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
