import { omitUndefined } from '../model/omit-undefined.js'

type Inspect = (value: unknown, options?: unknown) => string

const node = Symbol.for('nodejs.util.inspect.custom')
const deno = Symbol.for('Deno.customInspect')

/**
 * Makes `console.log` of Node, Bun and Deno show what a handle is: `Artifact { id: …, name: … }`. Without it they show nothing,
 * since the fields of handles are private.
 */
export function inspectable<T extends object>(
  prototype: T,
  name: string,
  fieldsOf: (handle: T) => Readonly<Record<string, unknown>>,
): void {
  const print = (handle: T, inspect: Inspect, options: unknown) => {
    try {
      return `${name} ${inspect(omitUndefined(fieldsOf(handle)), options)}`
    } catch {
      // the prototype itself, which has no record
      return name
    }
  }
  Object.defineProperty(prototype, node, {
    configurable: true,
    value(this: T, depth: number, options: unknown, inspect: Inspect) {
      return depth < 0 ? `[${name}]` : print(this, inspect, options)
    },
  })
  Object.defineProperty(prototype, deno, {
    configurable: true,
    value(this: T, inspect: Inspect, options: unknown) {
      return print(this, inspect, options)
    },
  })
}
