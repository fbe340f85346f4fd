import type { ServerResponse } from 'node:http'
import { IvcapError, type IvcapErrorCode, isIvcapError } from '@ivcap/core/driver'
import { sendJson } from './exchange.js'

/** The HTTP status of each error code. */
const STATUS: Readonly<Record<IvcapErrorCode, number>> = {
  'invalid-argument': 400,
  'missing-argument': 400,
  'not-found': 404,
  ambiguous: 424,
  'already-exists': 409,
  'precondition-failed': 412,
  unauthenticated: 401,
  'permission-denied': 403,
  integrity: 500,
  unsupported: 501,
  'rate-limited': 429,
  unavailable: 503,
  timeout: 504,
  protocol: 502,
  unknown: 500,
}

/** Names of query parameters, by the argument that an error of a backend names. */
const PARAMETERS: Readonly<Record<string, string>> = {
  filter: 'filter',
  contentPath: 'content-path',
  orderBy: 'order-by',
  orderDirection: 'order-direction',
  orderDesc: 'order-desc',
  atTime: 'at-time',
  limit: 'limit',
  cursor: 'page',
}

export interface Failure {
  readonly status: number
  readonly body: {
    readonly message: string
    /** The resource that caused the error. */
    readonly id?: string
    /** The invalid parameter and its value. */
    readonly name?: string
    readonly value?: string
  }
  /** Seconds after which the client may retry. */
  readonly retryAfter?: number
}

/**
 * Maps an error to a response. Errors other than IvcapError are faults of this server: their details are only logged.
 *
 * @param redact Removes private details, such as paths, from the message
 */
export function failureOf(
  error: unknown,
  query: URLSearchParams = new URLSearchParams(),
  redact: (message: string) => string = (message) => message,
): Failure {
  if (isDiskFull(error)) return { status: 507, body: { message: DISK_FULL } }
  if (!isIvcapError(error)) return { status: 500, body: { message: 'the server failed: see its log' } }
  const { code, message, resource, argument } = error
  const name = argument === undefined ? undefined : (PARAMETERS[argument] ?? argument)
  const value = name === undefined ? undefined : (query.get(name) ?? undefined)
  // IVCAP answers invalid query parameters with 422
  const defaultStatus = code === 'invalid-argument' && value !== undefined ? 422 : STATUS[code]
  const status = error instanceof RequestError ? error.responseStatus : defaultStatus
  return {
    status,
    body: {
      message: redact(message),
      // clients parse the id of a 403 as a uuid
      ...(resource !== undefined && status !== 403 && { id: redact(resource) }),
      ...(name !== undefined && { name }),
      ...(value !== undefined && { value: value.slice(0, 200) }),
    },
    ...((status === 429 || status === 503) && { retryAfter: retryAfterOf(error) }),
  }
}

const DISK_FULL = 'The disk of the server is full: nothing was stored. Free space on it and retry'

/** Whether a full disk or quota is among the causes. */
function isDiskFull(error: unknown): boolean {
  let cause = error
  for (let depth = 0; depth < 8 && cause instanceof Error; depth++) {
    if ('code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')) return true
    cause = cause.cause
  }
  return false
}

/** Seconds. */
function retryAfterOf({ retryAfter }: IvcapError): number {
  return retryAfter === undefined ? 1 : Math.max(1, Math.ceil(retryAfter / 1000))
}

/** Returns a `redact` function that removes paths below these folders. */
export function withoutPaths(folders: readonly string[]): (message: string) => string {
  const escaped = folders.map((folder) => folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  if (escaped.length === 0) return (message) => message
  const path = new RegExp(`(file://)?(${escaped.join('|')})[^\\s'"\`,;:)]*`, 'g')
  return (message) => message.replace(path, "the server's folder")
}

/** Sends an error response. If the response has already begun, cuts the connection, so that the client detects the failure. */
export function sendFailure(res: ServerResponse, { status, body, retryAfter }: Failure): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  sendJson(res, status, body, {
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer realm="ivcap"' }),
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  })
}

/** An invalid request. @param status Defaults to 400, or 422 for a query parameter */
export function badRequest(argument: string, message: string, status?: number): IvcapError {
  if (status === undefined) return new IvcapError('invalid-argument', message, { argument })
  return new RequestError(status, message, argument)
}

/** Carries the status of our response. `IvcapError.status` is the status that a backend received. */
class RequestError extends IvcapError {
  constructor(
    readonly responseStatus: number,
    message: string,
    argument?: string,
  ) {
    super('invalid-argument', message, argument === undefined ? {} : { argument })
  }
}

export function methodNotAllowed(message: string): IvcapError {
  return new RequestError(405, message)
}

export function notFound(resource: string, message: string): IvcapError {
  return new IvcapError('not-found', message, { resource })
}
