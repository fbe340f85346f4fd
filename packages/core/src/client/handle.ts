import type { OptionNames } from '../model/options.js'
import type { Timestamp } from '../model/time.js'
import type { Urn } from '../model/urn.js'
import type { OpOptions } from '../ports/index.js'
import type { Context } from './context.js'
import { inspectable } from './inspect.js'
import { CALL_OPTIONS, type CallOptions, call } from './operation.js'

/** An id, or a handle or record that has an id. */
export type Reference = string | { readonly id: string }

/** The id of a handle or record. Returns any other value unchanged; the parser of the id checks it. */
export function idOf(reference: unknown): unknown {
  if (typeof reference !== 'object' || reference === null) return reference
  const id: unknown = Reflect.get(reference, 'id')
  return typeof id === 'string' ? id : reference
}

/** The form in which `console.log` and `toString()` show a handle. */
export interface Summary {
  readonly kind: string
  readonly label?: string | undefined
  readonly fields: Readonly<Record<string, unknown>>
}

/** Base class of the handles on artifacts, aspects, collections, services and jobs. */
export abstract class Handle<R extends { readonly id: Urn }> {
  readonly #context: Context
  #record: R
  /** False if the record came from a listing or from the response to a write, which may omit fields. */
  #complete: boolean

  /** @internal Created by the client. */
  constructor(context: Context, record: R, complete: boolean) {
    this.#context = context
    this.#record = record
    this.#complete = complete
  }

  static {
    inspectable<Handle<{ readonly id: Urn }>>(Handle.prototype, (handle) => handle.summary())
  }

  abstract get id(): string

  /** All fields that are known so far. */
  get record(): R {
    return this.#record
  }

  /** Fetches the fields that a listing omits, unless they are known already. Returns this handle. */
  async load(o: CallOptions = {}): Promise<this> {
    return this.call('load', o, CALL_OPTIONS, (op) => this.loadStep(op))
  }

  /** Fetches the record again. Returns this handle. @throws IvcapError `not-found` */
  async refresh(o: CallOptions = {}): Promise<this> {
    return this.call('refresh', o, CALL_OPTIONS, async (op) => {
      this.learn(await this.fetch(op), true)
      return this
    })
  }

  /** Whether `other` has the same id; accepts a handle, a record or an id. */
  equals(other: Reference): boolean {
    return idOf(other) === this.id
  }

  toString(): string {
    const { kind, label } = this.summary()
    return `${kind} ${this.id}${label === undefined ? '' : ` (${label})`}`
  }

  /** As `load`, but runs as a step of another operation. */
  protected async loadStep(op: OpOptions): Promise<this> {
    if (!this.#complete) this.learn(await this.fetch(op), true)
    return this
  }

  protected abstract fetch(op: OpOptions): Promise<R>
  protected abstract summary(): Summary

  protected get context(): Context {
    return this.#context
  }

  /** Replaces the record by a newer one. */
  protected learn(record: R, complete = this.#complete): void {
    this.#record = record
    this.#complete = complete
  }

  /** Runs one operation of this handle: checks its options, merges timeout and signal, and adds its name to errors. */
  protected call<O extends CallOptions, T>(
    operation: string,
    o: O,
    names: OptionNames<NoInfer<O>>,
    run: (op: OpOptions, checked: O) => Promise<T>,
  ): Promise<T> {
    return call(this.#context, operation, o, names, run)
  }
}

/** Has millisecond precision. */
export const dateOf = (time: Timestamp | undefined): Date | undefined =>
  time === undefined ? undefined : new Date(time)
