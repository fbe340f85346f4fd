import { type EventListener, emit, type IvcapError, type OpOptions, omitUndefined } from '@ivcap/core/driver'

/** Upper limit of remembered states. The oldest is evicted, and may be reported again. */
const REMEMBERED = 10_000

/** A file or folder that is missing from results. */
export interface Omission {
  /** The path. Bytes that are not UTF-8 are written as `%XX`. */
  readonly path: string
  /** Changes with the file: each state is reported once. */
  readonly state: string
  /** Completes the sentence "<path> is left out: …". */
  readonly why: string
  readonly error?: IvcapError | undefined
}

/**
 * Emits an event `left-out` for each file that is missing from results, once for each of its states, to the listener of the
 * backend and to those of all calls that run in `during`.
 */
export class Omissions {
  readonly #own: EventListener | undefined
  readonly #known = new Map<string, string>()
  readonly #calls = new Map<EventListener, number>()

  constructor(own: EventListener | undefined) {
    this.#own = own
  }

  /** Runs a call. Until it ends, its listener gets all events, including those of work shared with other calls. */
  async during<T>({ onEvent }: OpOptions, run: () => Promise<T>): Promise<T> {
    if (onEvent === undefined) return await run()
    this.#calls.set(onEvent, (this.#calls.get(onEvent) ?? 0) + 1)
    try {
      return await run()
    } finally {
      const others = (this.#calls.get(onEvent) ?? 1) - 1
      if (others === 0) this.#calls.delete(onEvent)
      else this.#calls.set(onEvent, others)
    }
  }

  report({ path, state, why, error }: Omission): void {
    if (this.#known.get(path) === state) return
    this.#known.delete(path)
    this.#known.set(path, state)
    if (this.#known.size > REMEMBERED) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    const message = `${path} is left out: ${why}`
    emit(omitUndefined({ kind: 'left-out', message, resource: path, error } as const), ...this.#listeners())
  }

  /** Emits `fallback`: an optional step has failed. */
  fallback(message: string, resource: string): void {
    emit({ kind: 'fallback', message, resource }, ...this.#listeners())
  }

  /** Marks the file as readable again: its next omission is reported. */
  clear(path: string): void {
    this.#known.delete(path)
  }

  #listeners(): readonly (EventListener | undefined)[] {
    return [this.#own, ...this.#calls.keys()]
  }
}
