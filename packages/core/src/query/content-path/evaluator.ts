import type { JsonObject, JsonValue } from '../../model/json.js'
import { Budget } from './budget.js'
import { convert } from './conversions.js'
import { calculate, Decimal } from './decimal.js'
import { fail } from './failure.js'
import { entriesOf, isLeaf, isList, isNumber, isObject, single, subscriptIn, weight } from './items.js'
import type { ContentPath } from './parser.js'
import { absent, after, isEnd, type Place, startOf, unwraps } from './place.js'
import { decide } from './predicates.js'
import type { Item, Predicate, Step, Truth } from './tree.js'

/** Takes the items as they are found; true: no more are wanted. */
type Sink = (item: Item) => boolean
const FIRST: Sink = () => true

/** Whether a path finds anything in a content. Where an error comes first, nothing is found. */
export function finds({ strict, path }: ContentPath, content: JsonValue): boolean {
  const place = { path, at: 0, current: content, size: 0, tolerant: !strict }
  return new Evaluation(strict, content).exists(place, content) === true
}

class Evaluation {
  readonly #strict: boolean
  readonly #root: Item
  readonly #budget = new Budget()
  readonly #ids = new Map<Item, number>()

  constructor(strict: boolean, root: Item) {
    this.#strict = strict
    this.#root = root
  }

  /** In strict mode all is looked at, as an error anywhere counts. Null: it fails. */
  exists(place: Place, item: Item): Truth {
    const look = () => (this.#strict ? this.#all(place, item).length > 0 : this.#step(place, item, FIRST))
    return this.#budget.attempt(look) ?? null
  }

  /** Does the step at this place, and those after it; an array is unwrapped once. */
  #step(place: Place, item: Item, sink: Sink, unwrap = !this.#strict): boolean {
    const step = place.path[place.at]
    if (step === undefined) return sink(item)
    this.#budget.spend(1)
    this.#budget.enter()
    const stopped =
      unwrap && isList(item) && unwraps(step)
        ? item.some((element) => this.#step(place, element, sink, false))
        : this.#apply(step, place, item, sink)
    this.#budget.leave()
    return stopped
  }

  #apply(step: Step, place: Place, item: Item, sink: Sink): boolean {
    const rest = after(place)
    const next = (found: Item): boolean => this.#step(rest, found, sink)
    switch (step.type) {
      case 'root':
        return next(this.#root)
      case 'current':
        return next(place.current)
      case 'last':
        return next(place.size - 1)
      case 'literal':
        return next(step.value)
      case 'key': {
        const value = isObject(item) && Object.hasOwn(item, step.key) ? item[step.key] : undefined
        return value === undefined ? absent(place) : next(value)
      }
      case 'anyKey':
        return isObject(item) ? this.#children(item).some(next) : absent(place)
      case 'anyItem':
        return this.#listOf(item)?.some(next) ?? absent(place)
      case 'size': {
        const size = this.#listOf(item)?.length
        return size === undefined ? absent(place) : next(size)
      }
      case 'index':
        return this.#index(step, place, item, sink)
      case 'descend':
        return this.#descend(step, { ...place, tolerant: true }, item, sink)
      case 'filter':
        return this.#decide(step.condition, { ...place, current: item }, item) === true && next(item)
      case 'predicate':
        return next(this.#decide(step.predicate, place, item))
      case 'convert':
        this.#budget.spend(weight(item))
        return next(convert(step.method, item, step.args))
      case 'keyvalue':
        return this.#keyvalue(item, next)
      case 'sign':
        return this.#sign(step, place, item, sink)
      case 'arithmetic': {
        const left = single(this.#values(startOf(step.left, place), item))
        const right = single(this.#values(startOf(step.right, place), item))
        this.#budget.spend(weight(left) + weight(right))
        return next(calculate(step.operator, Decimal.from(left), Decimal.from(right)))
      }
    }
  }

  #index({ subscripts }: Step & { type: 'index' }, place: Place, item: Item, sink: Sink): boolean {
    const list = this.#listOf(item)
    if (list === undefined) return absent(place)
    const within = { ...place, size: list.length }
    const rest = after(within)
    for (const { from, to } of subscripts) {
      const first = subscriptIn(this.#all(startOf(from, within), item))
      const last = to === undefined ? first : subscriptIn(this.#all(startOf(to, within), item))
      if (!place.tolerant && (first < 0 || first > last || last >= list.length)) fail()
      for (let i = Math.max(first, 0); i <= Math.min(last, list.length - 1); i++) {
        if (this.#step(rest, list[i] ?? null, sink)) return true
      }
    }
    return false
  }

  #descend(step: Step & { type: 'descend' }, place: Place, item: Item, sink: Sink): boolean {
    const { first, last } = step
    const leaves = first === Number.POSITIVE_INFINITY && last === first
    const rest = after(place)
    const next = (found: Item): boolean => this.#step(rest, found, sink)
    const below = (parent: Item, level: number): boolean => {
      if (level > last || isLeaf(parent)) return false
      this.#budget.enter()
      const stopped = this.#children(parent).some(
        (child) => ((level >= first || (leaves && isLeaf(child))) && next(child)) || below(child, level + 1),
      )
      this.#budget.leave()
      return stopped
    }
    // an error at the top is forgotten where there is something below: so it is in PostgreSQL
    const top = () => first === 0 && (isLeaf(item) ? next(item) : this.#budget.attempt(() => next(item)))
    return top() === true || below(item, 1)
  }

  #keyvalue(item: Item, next: Sink): boolean {
    if (!isObject(item)) fail()
    const id = this.#ids.get(item) ?? this.#ids.size
    this.#ids.set(item, id)
    return this.#entries(item).some(([key, value]) => next({ id, key, value }))
  }

  #sign(step: Step & { type: 'sign' }, place: Place, item: Item, sink: Sink): boolean {
    const rest = after(place)
    // where only existence is asked and nothing follows, PostgreSQL passes over what is no number
    const lenient = sink === FIRST && isEnd(rest)
    return this.#values(startOf(step.operand, place), item).some((value) => {
      if (!isNumber(value)) return lenient ? false : fail()
      const number = Decimal.from(value)
      return this.#step(rest, step.negative ? number.negated() : number, sink)
    })
  }

  #decide(predicate: Predicate, place: Place, item: Item): Truth {
    return decide(predicate, {
      strict: this.#strict,
      items: (path) => this.#budget.attempt(() => this.#values(startOf(path, place), item)),
      exists: (path) => this.exists(startOf(path, place), item),
      spend: this.#budget.spend,
    })
  }

  #all(place: Place, item: Item): readonly Item[] {
    const items: Item[] = []
    this.#step(place, item, (found) => items.push(found) === 0)
    return items
  }

  /** All of them; in lax mode the elements of arrays take their place. */
  #values(place: Place, item: Item): readonly Item[] {
    const items = this.#all(place, item)
    if (this.#strict || !items.some(isList)) return items
    return items.flatMap<Item>((found) => (isList(found) ? found : [found]))
  }

  /** In lax mode what is no array counts as one of itself. */
  #listOf(item: Item): readonly Item[] | undefined {
    if (isList(item)) return item
    return this.#strict ? undefined : [item]
  }

  #children(parent: readonly JsonValue[] | JsonObject): readonly JsonValue[] {
    if (!isList(parent)) return this.#entries(parent).map(([, value]) => value)
    this.#budget.spend(parent.length)
    return parent
  }

  #entries(parent: JsonObject): readonly (readonly [string, JsonValue])[] {
    const entries = entriesOf(parent)
    this.#budget.spend(entries.length)
    return entries
  }
}
