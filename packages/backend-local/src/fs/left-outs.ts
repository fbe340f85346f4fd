import { type EventListener, emit, type IvcapError, type OpOptions, omitUndefined } from '@ivcap/core/driver'

/** States that are remembered. Where there are more, the oldest is forgotten and may be told again. */
const REMEMBERED = 10_000

/** Something in the folder that is missing from results. */
export interface LeftOut {
  /** The path. Bytes that are not UTF-8 are written as `%XX`. */
  readonly path: string
  /** Changes when the thing does: it is told once for each state. */
  readonly state: string
  /** Completes the sentence "<path> is left out: …". */
  readonly why: string
  readonly error?: IvcapError | undefined
}

/**
 * Tells what the folder holds and results do not: an event `left-out`, once for each state of the thing, to the listener of the
 * backend and to those of all calls that are under way in `during`.
 */
export class LeftOuts {
  readonly #own: EventListener | undefined
  readonly #known = new Map<string, string>()
  readonly #calls = new Map<EventListener, number>()

  constructor(own: EventListener | undefined) {
    this.#own = own
  }

  /** Runs a call; its listener hears what is found meanwhile, also by work that it shares with other calls. */
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

  tell({ path, state, why, error }: LeftOut): void {
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

  /** A step that the call can do without has failed. */
  fallback(message: string, resource: string): void {
    emit({ kind: 'fallback', message, resource }, ...this.#listeners())
  }

  /** The thing is as it should be: if it is left out again, that is told again. */
  clear(path: string): void {
    this.#known.delete(path)
  }

  #listeners(): readonly (EventListener | undefined)[] {
    return [this.#own, ...this.#calls.keys()]
  }
}
