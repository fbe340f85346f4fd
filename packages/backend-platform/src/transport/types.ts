import type { ChunkMemory } from '@ivcap/core/driver'

/** Pieces of a streamed body that are handed to the system before the first of them is known to be taken. */
export const UNDER_WAY = 2

/** Bytes that are read while they are sent. */
export interface Streamed {
  /** Bytes. */
  readonly size: number
  /** From the start, each time: a request may have to be made again. A piece is valid until `UNDER_WAY` more were asked for. */
  open(): AsyncIterable<Uint8Array>
}

export interface Message {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Streamed
  /** Aborts the exchange, its answer included. */
  readonly signal: AbortSignal
  /** Let a browser follow a redirect, which it tells nobody. Elsewhere redirects are answers like others. */
  readonly follow: boolean
  /** A GET that much is expected of: it is worth a connection of its own. */
  readonly large?: { readonly memory: ChunkMemory | undefined } | undefined
  /** Use a new connection, none that was kept open after an earlier request. */
  readonly fresh?: boolean
  /** Some bytes of a streamed body are on their way. */
  readonly onSent?: () => void
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Where it came from, if it was followed there. */
  readonly url?: URL
  /** A redirect of which a browser says no more than that. */
  readonly hidden: boolean
  /** The next bytes of the body; undefined at its end. Read by nobody, they aren't fetched. */
  next(): Promise<Uint8Array | undefined>
  /** Resolves when nothing more comes; the end may have been reached. */
  cancel(): Promise<void>
}

/** Sends one message and hears the answer: no retries, no redirects, no cookies, no cache. */
export interface Transport {
  /** Whether it takes a `Streamed` body. */
  readonly streams: boolean
  /** Rejects with `BodyFailure`, `StaleConnection`, `NotHttp`, or with what the system says of the connection. */
  send(message: Message): Promise<Answer>
  close(): void
}

/** Not the connection, but what was to be sent over it has failed. */
export class BodyFailure extends Error {
  constructor(cause: unknown) {
    super('the body could not be read', { cause })
    this.name = 'BodyFailure'
  }
}

/**
 * A connection that was kept open after an earlier request broke before any byte of the answer. As a rule the server had closed
 * it while it was idle and never saw this request; that is not certain.
 */
export class StaleConnection extends Error {
  constructor(cause: unknown) {
    super('a connection that was kept open had been closed', { cause })
    this.name = 'StaleConnection'
  }
}

/** The server answers, but not as HTTP prescribes. */
export class NotHttp extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NotHttp'
  }
}
