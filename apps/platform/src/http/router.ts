import { setMaxListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIvcapError } from '@ivcap/core/driver'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { type Access, hostOf } from './access.js'
import type { Guard } from './auth.js'
import { sendOptions, setCors } from './cors.js'
import { badRequest, failureOf, methodNotAllowed, notFound, sendFailure } from './errors.js'
import { type Handler, header } from './exchange.js'

export type Route = readonly [methods: HTTPMethod | HTTPMethod[], path: string, handler: Handler]

export interface ListenerOptions {
  readonly routes: readonly Route[]
  readonly guard: Guard
  readonly access: Access
  /** Aborts after the shutdown timeout. */
  readonly stopping: AbortSignal
  readonly log: (line: string) => void
  /** Removes private details, such as paths, from a message. */
  readonly redact: (message: string) => string
}

const METHODS: readonly HTTPMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** Maximum characters of a path parameter, before decoding. */
const MAX_ID_LENGTH = 200

/** Routes each request to its handler, and maps errors to responses. */
export function listenerOf(o: ListenerOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const router = routerOf(o)
  return (req, res) => {
    const path = pathOf(req)
    logAnswer(req, res, o.log)
    serve().catch((error: unknown) => {
      // the client has disconnected, or has the whole response
      if (res.destroyed || res.writableFinished) return
      if (!isIvcapError(error)) o.log(`failed: ${req.method} ${path}: ${describe(error)}`)
      sendFailure(res, failureOf(error, queryOf(req), o.redact))
    })

    async function serve(): Promise<void> {
      setCors(req, res, o.access)
      o.access.check(req)
      overrideMethod(req)
      if (req.method === 'OPTIONS') return sendOptions(req, res)
      await o.guard(req)
      await router.lookup(req, res)
    }
  }
}

function routerOf({ routes, stopping }: ListenerOptions) {
  setMaxListeners(0, stopping) // one for each request under way
  const router = findMyWay({
    ignoreTrailingSlash: true,
    maxParamLength: MAX_ID_LENGTH,
    defaultRoute(req, res) {
      const allowed = METHODS.filter((method) => router.find(method, pathOf(req)) !== null)
      if (allowed.length > 0) {
        res.setHeader('Allow', [...allowed, 'OPTIONS'].join(', '))
        throw methodNotAllowed(`${req.method} is not possible here: ${allowed.join(', ')}`)
      }
      throw notFound(pathOf(req), `There is no ${req.method} ${pathOf(req)} here`)
    },
    onBadUrl(path) {
      throw badRequest('path', `The path ${path} is not properly percent-encoded`)
    },
  })
  for (const [methods, path, handler] of routes) {
    router.on(methods, path, (req, res, params) =>
      handler({
        req,
        res,
        params,
        query: queryOf(req),
        signal: signalOf(res, stopping),
        origin: `http://${hostOf(req)}`,
      }),
    )
  }
  return router
}

/** Aborts when the client disconnects or the server stops. AbortSignal.any would leak memory with each request. */
function signalOf(res: ServerResponse, stopping: AbortSignal): AbortSignal {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal) // a listing reads many records at once
  const stop = () => controller.abort(stopping.reason)
  stopping.addEventListener('abort', stop)
  res.once('close', () => {
    stopping.removeEventListener('abort', stop)
    if (!res.writableFinished) controller.abort(new DOMException('The client has gone', 'AbortError'))
  })
  return controller.signal
}

/** Logs a line for each response, without the query, which may hold private data. */
function logAnswer(req: IncomingMessage, res: ServerResponse, log: (line: string) => void): void {
  const began = performance.now()
  res.once('close', () => {
    const ms = Math.round(performance.now() - began)
    log(`${res.statusCode} ${req.method} ${pathOf(req)} ${ms} ms${res.writableFinished ? '' : ', cut off'}`)
  })
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/'
}

function queryOf({ url = '/' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : url.slice(at))
}

/** TUS 1.0.0: for clients that cannot send PATCH or DELETE. @throws IvcapError for other methods */
function overrideMethod(req: IncomingMessage): void {
  const method = header(req, 'x-http-method-override')?.toUpperCase()
  if (method === undefined || method === req.method) return
  if (req.method !== 'POST' || !['PATCH', 'PUT', 'DELETE'].includes(method)) {
    throw badRequest(
      'X-HTTP-Method-Override',
      'X-HTTP-Method-Override must turn a POST into PATCH, PUT or DELETE',
    )
  }
  req.method = method
}

function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } catch {
    return 'an error that cannot be printed'
  }
}
