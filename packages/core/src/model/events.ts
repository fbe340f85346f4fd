import type { IvcapError } from './errors.js'
import { plainText } from './plain-text.js'

/**
 * Something that happened during a call and is not visible in its result. Events are for people and for monitoring. They never
 * contain a token, the query of a signed URL, or content.
 */
export type IvcapEvent =
  | RetryEvent
  | LeftOutEvent
  | OrphanEvent
  | ResumeEvent
  | RecognisedEvent
  | FallbackEvent
  | JobFailedEvent

interface EventBase {
  /** One sentence for people. */
  readonly message: string
  /** The operation that the caller requested, e.g. `uploadArtifact`, if it is known. */
  readonly operation?: string
  /** The URN, key, path or URL that the event is about. */
  readonly resource?: string
}

/** A request failed and is sent again after `wait` milliseconds. */
export interface RetryEvent extends EventBase {
  readonly kind: 'retry'
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number
  /** Milliseconds. */
  readonly wait: number
  readonly error: IvcapError
}

/** A file, a folder or a record cannot be read or is invalid, and is missing from a result. */
export interface LeftOutEvent extends EventBase {
  readonly kind: 'left-out'
  readonly resource: string
  readonly error?: IvcapError
}

/** A request without a response may have left something without an owner, e.g. a pending artifact record without bytes. */
export interface OrphanEvent extends EventBase {
  readonly kind: 'orphan'
}

/** A broken transfer continues at byte `offset`. */
export interface ResumeEvent extends EventBase {
  readonly kind: 'resume'
  readonly offset: number
  readonly error?: IvcapError
}

/** A file was recognised as uploaded before. Nothing was sent. */
export interface RecognisedEvent extends EventBase {
  readonly kind: 'recognised'
  readonly resource: string
}

/** An optional step failed, or a slower step replaced it. */
export interface FallbackEvent extends EventBase {
  readonly kind: 'fallback'
  readonly error?: IvcapError
}

/** The function of a service failed. The `cause` of `error` is what it threw, with its stack. */
export interface JobFailedEvent extends EventBase {
  readonly kind: 'job-failed'
  readonly resource: string
  readonly error: IvcapError
}

/** Receives events. Exceptions that it throws are ignored. */
export type EventListener = (event: IvcapEvent) => void

/** Sends an event to each listener, once to a listener that is given twice. Exceptions of listeners are ignored. */
export function emit(event: IvcapEvent, ...listeners: readonly (EventListener | undefined)[]): void {
  const safe = { ...event, message: plainText(event.message) }
  for (const listener of new Set(listeners)) {
    try {
      listener?.(safe)
    } catch {
      // exceptions of listeners are ignored
    }
  }
}
