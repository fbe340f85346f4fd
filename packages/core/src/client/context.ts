import { IvcapError } from '../model/errors.js'
import type { EventListener } from '../model/events.js'
import { show } from '../model/urn.js'
import type { Backend } from '../ports/index.js'

/** Receives messages, e.g. `console`. */
export interface Logger {
  debug?(message: string): void
  warn?(message: string): void
}

/** Shared by a client and all handles that it creates. */
export interface Context {
  readonly backend: Backend
  readonly logger: Logger
  readonly onEvent?: EventListener
  /** Milliseconds for each call without a timeout of its own. */
  readonly timeout?: number
}

const METHODS = {
  artifacts: ['create', 'stat', 'read', 'list'],
  aspects: ['assert', 'get', 'list', 'retract'],
} as const

/** @throws IvcapError `invalid-argument` if the value is not a backend; the message tells the reason */
export function checkBackend(backend: Backend): Backend {
  const given: unknown = backend
  if (typeof given !== 'object' || given === null) throw notABackend(`it is ${show(given)}`)
  if (isFunction(Reflect.get(given, 'then'))) throw notABackend('it is a promise: await it first')
  if (isFunction(Reflect.get(given, 'uploadArtifact')))
    throw notABackend('it is a client already: use it as it is, or pass the backend that it was made with')
  for (const [port, methods] of Object.entries(METHODS)) {
    const store: unknown = Reflect.get(given, port)
    if (typeof store !== 'object' || store === null) throw notABackend(`it has no ${port}`)
    const missing = methods.find((method) => !isFunction(Reflect.get(store, method)))
    if (missing !== undefined) throw notABackend(`its ${port} have no function ${missing}`)
  }
  return backend
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

function notABackend(why: string): IvcapError {
  const message = `Ivcap: backend must be a backend such as memoryBackend() or localBackend({ baseDir }); ${why}`
  return new IvcapError('invalid-argument', message, { operation: 'Ivcap', argument: 'backend' })
}
