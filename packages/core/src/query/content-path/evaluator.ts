import type { JsonObject, JsonValue } from '../../model/json.js'
import type { Work, WorkBudget } from '../work.js'
import { convert } from './conversions.js'
import { calculate, Decimal } from './decimal.js'
import { FAILURE, fail } from './failure.js'
import {
  compare,
  inStoredOrder,
  isLeaf,
  isList,
  isNumber,
  isObject,
  single,
  subscriptIn,
  weight,
} from './items.js'
import type { ContentPath } from './parser.js'
import { absent, after, at, isEnd, type Place, startOf, unwraps } from './place.js'
import { refusal } from './refusal.js'
import type { Item, Path, Predicate, Step, Truth } from './tree.js'

/** Takes the items as they are found; true: no more are wanted. */
type Sink = (item: Item) => boolean
const FIRST: Sink = () => true

/** Steps inside of steps: what a stack holds. */
const MAX_DEPTH = 300
/** The other side of what looks at one side only. */
const ALONE = [null]

/**
 * Whether a path finds anything in a content. Where an error comes first, nothing is found.
 *
 * @param extra members that the content has where it has none of that name
 */
export function finds(
  { strict, path }: ContentPath,
  content: JsonValue,
  extra: JsonObject,
  budget: WorkBudget,
): Work<Truth> {
  const place = { path, at: 0, current: content, size: 0, tolerant: !strict }
  return new Evaluation(strict, content, extra, budget).exists(place, content)
}

/** Generators, so that it can pause anywhere; what needs no pause is done without one, as they cost several times a call. */
class Evaluation {
  readonly #strict: boolean
  readonly #root: Item
  readonly #extra: JsonObject
  readonly #budget: WorkBudget
  readonly #ids = new Map<Item, number>()
  #depth = 0

  constructor(strict: boolean, root: Item, extra: JsonObject, budget: WorkBudget) {
    this.#strict = strict
    this.#root = root
    this.#extra = extra
    this.#budget = budget
  }

  /** In strict mode all is looked at, as an error anywhere counts. Null: it fails. */
  *exists(place: Place, item: Item): Work<Truth> {
    const depth = this.#depth
    try {
      if (this.#strict) return (yield* this.#all(place, item)).length > 0
      return yield* this.#step(place, item, FIRST)
    } catch (error) {
      return this.#forgive(error, depth, null)
    }
  }

  /** Does the step at this place, and those after it; an array is unwrapped once. */
  *#step(from: Place, start: Item, sink: Sink, unwrap = !this.#strict): Work<boolean> {
    const straight = this.#walk(from, start, unwrap)
    if (straight === undefined) return false
    const { place, item } = straight
    const step = place.path[place.at]
    if (step === undefined) return sink(item)
    if (this.#budget.spend(1)) yield
    this.#enter()
    let stopped = false
    const unwrapped = place === from ? unwrap : !this.#strict
    if (unwrapped && isList(item) && unwraps(step)) stopped = yield* this.#each(item, place, sink, false)
    else stopped = yield* this.#apply(step, place, item, sink)
    this.#depth -= 1
    return stopped
  }

  /**
   * Goes on as long as each step leads to one item at most: most paths are no more than that. Undefined: there is nothing.
   * @throws FAILURE
   */
  #walk(
    from: Place,
    start: Item,
    unwrap: boolean,
  ): { readonly place: Place; readonly item: Item } | undefined {
    let index = from.at
    let item = start
    let unwrapped = unwrap
    for (let step = from.path[index]; step !== undefined; step = from.path[++index]) {
      if (step.type === 'root') item = this.#root
      else if (step.type === 'current') item = from.current
      else if (step.type === 'last') item = from.size - 1
      else if (step.type === 'literal') item = step.value
      else if (step.type === 'key' && !(unwrapped && isList(item))) {
        const value = isObject(item) ? this.#member(item, step.key) : undefined
        if (value === undefined) {
          absent(from)
          return undefined
        }
        item = value
      } else break
      unwrapped = !this.#strict
    }
    // what is due is seen by whoever goes on from here
    this.#budget.spend((index - from.at) >> 3)
    return { place: index === from.at ? from : at(from, index), item }
  }

  *#each(items: readonly Item[], place: Place, sink: Sink, unwrap = !this.#strict): Work<boolean> {
    for (const item of items) {
      if (this.#budget.spend(1)) yield
      if (yield* this.#step(place, item, sink, unwrap)) return true
    }
    return false
  }

  *#apply(step: Step, place: Place, item: Item, sink: Sink): Work<boolean> {
    const rest = after(place)
    switch (step.type) {
      case 'anyKey':
        return isObject(item) ? yield* this.#each(yield* this.#children(item), rest, sink) : absent(place)
      case 'anyItem': {
        const list = this.#listOf(item)
        return list === undefined ? absent(place) : yield* this.#each(list, rest, sink)
      }
      case 'size': {
        const size = this.#listOf(item)?.length
        return size === undefined ? absent(place) : yield* this.#step(rest, size, sink)
      }
      case 'index':
        return yield* this.#index(step, place, item, sink)
      case 'descend':
        return yield* this.#descend(step, { ...place, tolerant: true }, item, sink)
      case 'filter': {
        const truth = yield* this.#decide(step.condition, { ...place, current: item }, item)
        return truth === true && (yield* this.#step(rest, item, sink))
      }
      case 'predicate':
        return yield* this.#step(rest, yield* this.#decide(step.predicate, place, item), sink)
      case 'convert': {
        if (this.#budget.spend(weight(item))) yield
        return yield* this.#step(rest, convert(step.method, item, step.args), sink)
      }
      case 'keyvalue':
        return yield* this.#keyvalue(item, rest, sink)
      case 'sign':
        return yield* this.#sign(step, place, item, sink)
      case 'arithmetic': {
        const left = single(yield* this.#values(startOf(step.left, place), item))
        const right = single(yield* this.#values(startOf(step.right, place), item))
        if (this.#budget.spend(weight(left) + weight(right))) yield
        return yield* this.#step(
          rest,
          calculate(step.operator, Decimal.from(left), Decimal.from(right)),
          sink,
        )
      }
      default:
        // a step that #walk has left: in lax mode it takes no array as it is
        return absent(place)
    }
  }

  *#index({ subscripts }: Step & { type: 'index' }, place: Place, item: Item, sink: Sink): Work<boolean> {
    const list = this.#listOf(item)
    if (list === undefined) return absent(place)
    const within = { ...place, size: list.length }
    const rest = after(within)
    for (const { from, to } of subscripts) {
      const first = subscriptIn(yield* this.#all(startOf(from, within), item))
      const last = to === undefined ? first : subscriptIn(yield* this.#all(startOf(to, within), item))
      if (!place.tolerant && (first < 0 || first > last || last >= list.length)) fail()
      for (let i = Math.max(first, 0); i <= Math.min(last, list.length - 1); i++) {
        if (this.#budget.spend(1)) yield
        if (yield* this.#step(rest, list[i] ?? null, sink)) return true
      }
    }
    return false
  }

  *#descend(step: Step & { type: 'descend' }, place: Place, item: Item, sink: Sink): Work<boolean> {
    const rest = after(place)
    if (step.first === 0) {
      const depth = this.#depth
      try {
        if (yield* this.#step(rest, item, sink)) return true
      } catch (error) {
        // an error at the top is forgotten where there is something below: so it is in PostgreSQL
        if (isLeaf(item)) throw error
        this.#forgive(error, depth, false)
      }
    }
    return yield* this.#below(step, item, 1, rest, sink)
  }

  *#below(
    step: Step & { type: 'descend' },
    parent: Item,
    level: number,
    rest: Place,
    sink: Sink,
  ): Work<boolean> {
    const { first, last } = step
    if (level > last || isLeaf(parent)) return false
    const leaves = first === Number.POSITIVE_INFINITY && last === first
    this.#enter()
    for (const child of yield* this.#children(parent)) {
      if (this.#budget.spend(1)) yield
      if ((level >= first || (leaves && isLeaf(child))) && (yield* this.#step(rest, child, sink))) return true
      if (!isLeaf(child) && (yield* this.#below(step, child, level + 1, rest, sink))) return true
    }
    this.#depth -= 1
    return false
  }

  *#keyvalue(item: Item, rest: Place, sink: Sink): Work<boolean> {
    if (!isObject(item)) fail()
    const id = this.#ids.get(item) ?? this.#ids.size
    this.#ids.set(item, id)
    for (const [key, value] of yield* this.#entries(item)) {
      if (yield* this.#step(rest, { id, key, value }, sink)) return true
    }
    return false
  }

  *#sign(step: Step & { type: 'sign' }, place: Place, item: Item, sink: Sink): Work<boolean> {
    const rest = after(place)
    // where only existence is asked and nothing follows, PostgreSQL passes over what is no number
    const lenient = sink === FIRST && isEnd(rest)
    for (const value of yield* this.#values(startOf(step.operand, place), item)) {
      if (!isNumber(value)) {
        if (!lenient) fail()
        continue
      }
      const number = Decimal.from(value)
      if (this.#budget.spend(weight(number))) yield
      if (yield* this.#step(rest, step.negative ? number.negated() : number, sink)) return true
    }
    return false
  }

  /** In three-valued logic: what fails inside a condition makes it unknown. */
  *#decide(predicate: Predicate, place: Place, item: Item): Work<Truth> {
    switch (predicate.type) {
      case 'and':
        return yield* this.#both(predicate.left, predicate.right, place, item, false)
      case 'or':
        return yield* this.#both(predicate.left, predicate.right, place, item, true)
      case 'not': {
        const truth = yield* this.#decide(predicate.of, place, item)
        return truth === null ? null : !truth
      }
      case 'isUnknown':
        return (yield* this.#decide(predicate.of, place, item)) === null
      case 'exists':
        return yield* this.exists(startOf(predicate.path, place), item)
      default:
        return yield* this.#anyPair(predicate, place, item)
    }
  }

  /** "And" is settled by one that is false, "or" by one that is true; otherwise one that is unknown makes all of it so. */
  *#both(left: Predicate, right: Predicate, place: Place, item: Item, settles: boolean): Work<Truth> {
    const first = yield* this.#decide(left, place, item)
    if (first === settles) return settles
    const second = yield* this.#decide(right, place, item)
    return second === !settles ? first : second
  }

  /** Whether the test holds for any pair: in lax mode one that is true settles it, in strict mode one that is unknown. */
  *#anyPair(
    test: Predicate & { type: 'compare' | 'startsWith' | 'likeRegex' },
    place: Place,
    item: Item,
  ): Work<Truth> {
    const left = yield* this.#operand(test.type === 'compare' ? test.left : test.text, place, item)
    if (left === undefined) return null
    const right = test.type === 'compare' ? yield* this.#operand(test.right, place, item) : ALONE
    if (right === undefined) return null
    let result: Truth = false
    for (const a of left) {
      for (const b of right) {
        if (this.#budget.spend(1 + weight(a) + weight(b))) yield
        let truth: Truth = null
        if (test.type === 'compare') truth = compare(test.operator, a, b)
        else if (typeof a !== 'string') truth = null
        else if (test.type === 'startsWith') truth = a.startsWith(test.start)
        else truth = yield* test.matches(a, this.#budget)
        if (truth === (this.#strict ? null : true)) return truth
        if (truth !== false) result = truth
      }
    }
    return result
  }

  /** All items, in lax mode with the elements of arrays in their place; undefined where that fails. */
  *#operand(path: Path, place: Place, item: Item): Work<readonly Item[] | undefined> {
    const depth = this.#depth
    try {
      const straight = this.#walk(startOf(path, place), item, !this.#strict)
      if (straight === undefined) return []
      if (!isEnd(straight.place)) return yield* this.#values(straight.place, straight.item)
      return !this.#strict && isList(straight.item) ? straight.item : [straight.item]
    } catch (error) {
      return this.#forgive(error, depth, undefined)
    }
  }

  *#all(place: Place, item: Item): Work<readonly Item[]> {
    const items: Item[] = []
    yield* this.#step(place, item, (found) => items.push(found) === 0)
    return items
  }

  /** All of them; in lax mode the elements of arrays take their place. */
  *#values(place: Place, item: Item): Work<readonly Item[]> {
    const items = yield* this.#all(place, item)
    if (this.#strict || !items.some(isList)) return items
    const values: Item[] = []
    for (const found of items) {
      if (isList(found)) for (const element of found) values.push(element)
      else values.push(found)
      if (this.#budget.spend(isList(found) ? found.length >> 3 : 1)) yield
    }
    return values
  }

  /** In lax mode what is no array counts as one of itself. */
  #listOf(item: Item): readonly Item[] | undefined {
    if (isList(item)) return item
    return this.#strict ? undefined : [item]
  }

  *#children(parent: readonly JsonValue[] | JsonObject): Work<readonly JsonValue[]> {
    return isList(parent) ? parent : (yield* this.#entries(parent)).map(([, value]) => value)
  }

  *#entries(parent: JsonObject): Work<readonly (readonly [string, JsonValue])[]> {
    const entries: (readonly [string, JsonValue])[] = []
    // not by Object.entries, which takes long in one piece where they are many
    for (const key in parent) {
      if (this.#budget.spend(2)) yield
      entries.push([key, parent[key] ?? null])
    }
    if (parent === this.#root) {
      for (const [key, value] of Object.entries(this.#extra)) {
        if (!Object.hasOwn(parent, key)) entries.push([key, value])
      }
    }
    return yield* inStoredOrder(entries, this.#budget)
  }

  #member(object: JsonObject, key: string): JsonValue | undefined {
    if (Object.hasOwn(object, key)) return object[key]
    return object === this.#root && Object.hasOwn(this.#extra, key) ? this.#extra[key] : undefined
  }

  #enter(): void {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH)
      throw refusal('invalid-argument', `takes more than ${MAX_DEPTH} steps inside of each other: shorten it`)
  }

  #forgive<T>(error: unknown, depth: number, otherwise: T): T {
    if (error !== FAILURE) throw error
    this.#depth = depth
    return otherwise
  }
}
