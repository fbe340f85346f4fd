import { fail } from './failure.js'
import type { Item, Path, Step } from './tree.js'

/** Where evaluation stands in a path, and what is around it. */
export interface Place {
  readonly path: Path
  readonly at: number
  /** `@` */
  readonly current: Item
  /** Elements of the array whose subscript is read: `last` is one less. */
  readonly size: number
  /** Whether what isn't there is passed over: always in lax mode, below `.**` in strict mode. */
  readonly tolerant: boolean
}

// written out, as these are made at every step, and a spread takes several times as long
export const after = ({ path, at, current, size, tolerant }: Place): Place => ({
  path,
  at: at + 1,
  current,
  size,
  tolerant,
})

/** The same path, at another step. */
export const at = ({ path, current, size, tolerant }: Place, index: number): Place => ({
  path,
  at: index,
  current,
  size,
  tolerant,
})

/** Another path, seen from the same place. */
export const startOf = (path: Path, { current, size, tolerant }: Place): Place => ({
  path,
  at: 0,
  current,
  size,
  tolerant,
})

export const isEnd = (place: Place): boolean => place.at === place.path.length

/** In lax mode these take an array for its elements. */
export function unwraps(step: Step): boolean {
  switch (step.type) {
    case 'key':
    case 'anyKey':
    case 'filter':
    case 'keyvalue':
      return true
    case 'convert':
      return step.method !== 'type'
    default:
      return false
  }
}

/** What isn't there, and so is passed over or fails. */
export function absent(place: Place): false {
  return place.tolerant ? false : fail()
}
