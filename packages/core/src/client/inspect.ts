import { omitUndefined } from '../model/omit-undefined.js'

type Inspect = (value: unknown, options?: unknown) => string

/** How a value is shown: its kind, then its fields. */
export interface Shown {
  readonly kind: string
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * Makes `console.log` of Node, Bun and Deno show an object as `Artifact { id: …, name: … }`. Otherwise they show an empty
 * object, because the fields of handles are private.
 */
export function inspectable<T extends object>(prototype: T, shownAs: (value: T) => Shown): void {
  const print = (value: T, inspect: Inspect, options: unknown, depth = 0) => {
    try {
      const { kind, fields } = shownAs(value)
      return depth < 0 ? `[${kind}]` : `${kind} ${inspect(omitUndefined(fields), options)}`
    } catch {
      // the value is the prototype itself, which has no fields
      return '[prototype]'
    }
  }
  const define = (name: symbol, value: (this: T, ...args: never[]) => string) =>
    Object.defineProperty(prototype, name, { configurable: true, value })
  define(
    Symbol.for('nodejs.util.inspect.custom'),
    function (depth: number, options: unknown, inspect: Inspect) {
      return print(this, inspect, options, depth)
    },
  )
  define(Symbol.for('Deno.customInspect'), function (inspect: Inspect, options: unknown) {
    return print(this, inspect, options)
  })
}
