import { IvcapError } from '../model/errors.js'
import { show } from '../model/urn.js'
import type { Backend } from '../ports/index.js'

const METHODS = {
  artifacts: ['create', 'stat', 'read', 'list'],
  aspects: ['assert', 'get', 'list', 'retract'],
} as const

/** @throws IvcapError `invalid-argument` for what is no backend, with what was probably meant */
export function checkBackend(backend: Backend): Backend {
  const given: unknown = backend
  if (typeof given !== 'object' || given === null) throw noBackend(`it is ${show(given)}`)
  if (isFunction(Reflect.get(given, 'then'))) throw noBackend('it is a promise: await it first')
  if (isFunction(Reflect.get(given, 'uploadArtifact')))
    throw noBackend('it is a client already: use it as it is, or give the backend that it was made with')
  for (const [port, methods] of Object.entries(METHODS)) {
    const store: unknown = Reflect.get(given, port)
    if (typeof store !== 'object' || store === null) throw noBackend(`it has no ${port}`)
    const missing = methods.find((method) => !isFunction(Reflect.get(store, method)))
    if (missing !== undefined) throw noBackend(`its ${port} have no function ${missing}`)
  }
  return backend
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

function noBackend(why: string): IvcapError {
  const message = `Ivcap: backend must be a backend such as memoryBackend() or localBackend({ baseDir }); ${why}`
  return new IvcapError('invalid-argument', message, { operation: 'Ivcap', argument: 'backend' })
}
