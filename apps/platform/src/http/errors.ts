import type { ServerResponse } from 'node:http'
import { IvcapError, type IvcapErrorCode, isIvcapError } from '@ivcap/core/driver'
import { sendJson } from './reply.js'

/** What each kind of failure is answered with. */
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

/** Query parameters by the name of the argument that a backend complains of. */
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
    /** The resource that it is about. */
    readonly id?: string
    /** The parameter that is wrong, and its value. */
    readonly name?: string
    readonly value?: string
  }
  /** Seconds after which the request may be made again. */
  readonly retryAfter?: number
}

/** The answer to a failed request; what isn't an IvcapError is ours, and its details are nobody's business. */
export function failureOf(error: unknown, query: URLSearchParams = new URLSearchParams()): Failure {
  if (!isIvcapError(error)) return { status: 500, body: { message: 'the server failed: see its log' } }
  const { code, message, resource, argument } = error
  const name = argument === undefined ? undefined : (PARAMETERS[argument] ?? argument)
  const value = name === undefined ? undefined : (query.get(name) ?? undefined)
  // a wrong parameter of the query has a status of its own
  const usual = code === 'invalid-argument' && value !== undefined ? 422 : STATUS[code]
  const status = error instanceof RequestError ? error.answer : usual
  return {
    status,
    body: {
      message,
      // clients read the id of a 403 as a uuid
      ...(resource !== undefined && status !== 403 && { id: resource }),
      ...(name !== undefined && { name }),
      ...(value !== undefined && { value: value.slice(0, 200) }),
    },
    ...(error.retryAfter !== undefined && { retryAfter: Math.ceil(error.retryAfter / 1000) }),
  }
}

/** Answers with what went wrong; an answer that is under way already is cut off, so that nobody takes it for whole. */
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

/** A request that this server can't take as it is; `status` where 400, or 422 for the query, isn't it. */
export function badRequest(argument: string, message: string, status?: number): IvcapError {
  if (status === undefined) return new IvcapError('invalid-argument', message, { argument })
  return new RequestError(status, message, argument)
}

/** Kept apart from the `status` that a backend's errors carry: that is what the backend was told, not our answer. */
class RequestError extends IvcapError {
  constructor(
    readonly answer: number,
    message: string,
    argument: string,
  ) {
    super('invalid-argument', message, { argument })
  }
}

export function notFound(resource: string, message: string): IvcapError {
  return new IvcapError('not-found', message, { resource })
}
