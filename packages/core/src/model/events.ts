import type { IvcapError } from './errors.js'
import { plainText } from './plain-text.js'

/**
 * Something that happened during a call and that its result does not show. Events are for people and for monitoring; they never
 * hold a token, the query of a signed URL, or content.
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
  /** What the caller asked for, e.g. `uploadArtifact`, where that is known. */
  readonly operation?: string
  /** The URN, key, path or URL that it is about. */
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

/** Something that cannot be read, or is not valid, is missing from a result: a file, a folder, a record. */
export interface LeftOutEvent extends EventBase {
  readonly kind: 'left-out'
  readonly resource: string
  readonly error?: IvcapError
}

/** An unanswered request may have left something without an owner, e.g. a pending artifact record without bytes. */
export interface OrphanEvent extends EventBase {
  readonly kind: 'orphan'
}

/** A transfer that broke goes on from `offset` bytes. */
export interface ResumeEvent extends EventBase {
  readonly kind: 'resume'
  readonly offset: number
  readonly error?: IvcapError
}

/** A file was recognised as uploaded before; nothing was sent. */
export interface RecognisedEvent extends EventBase {
  readonly kind: 'recognised'
  readonly resource: string
}

/** A step failed that the call can do without, or was replaced by a slower one. */
export interface FallbackEvent extends EventBase {
  readonly kind: 'fallback'
  readonly error?: IvcapError
}

/** The function of a service failed. `error` holds what it threw, with its stack, as `cause`. */
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
      // the listener's own problem
    }
  }
}
