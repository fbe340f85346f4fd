import type { EventListener } from '../model/events.js'
import type { Backend } from '../ports/index.js'

/** Where messages go; a console will do. The default is silence. */
export interface Logger {
  debug?(message: string): void
  warn?(message: string): void
}

/** What every handle shares with the client that made it. */
export interface Context {
  readonly backend: Backend
  readonly logger: Logger
  readonly onEvent?: EventListener
  /** Milliseconds for each call that names none. */
  readonly timeout?: number
}
