import type { IvcapError } from './errors.js'

/** The failed attempts of one client call, over all its requests. */
export class FailureLog {
  #first: IvcapError | undefined
  #last: IvcapError | undefined
  #count = 0

  /** The first failure, which often caused the others. */
  get first(): IvcapError | undefined {
    return this.#first
  }
  get last(): IvcapError | undefined {
    return this.#last
  }
  get count(): number {
    return this.#count
  }

  add(error: IvcapError): void {
    this.#first ??= error
    this.#last = error
    this.#count += 1
  }
}
