import {
  type EventListener,
  emit,
  IvcapError,
  type IvcapEvent,
  type OpOptions,
  type RetryOptions,
  retry,
} from '@ivcap/core/driver'
import type * as v from 'valibot'
import { decodeJson } from '../decode.js'
import {
  BodyReadError,
  type StreamedBody,
  type Transport,
  type TransportRequest,
  type TransportResponse,
  unknownCoding,
} from '../transport/types.js'
import type { Credentials } from './credentials.js'
import { type Deployment, printable, redirectTarget } from './deployment.js'
import {
  connectionFailure,
  type ErrorContext,
  isStale,
  protocolFailure,
  refusedRedirect,
  responseFailure,
  timeoutFailure,
  tokenTimeout,
} from './failure.js'
import { IdleTimeout } from './idle-timeout.js'
import { HttpResponse } from './response.js'

/** The options of a call of the client that requests need. */
export interface RequestContext {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: EventListener | undefined
  readonly failures?: OpOptions['failures'] | undefined
}

/** Picks the options of `RequestContext` from larger options. */
export const requestContext = ({ signal, onEvent, failures }: RequestContext): RequestContext => ({
  signal,
  onEvent,
  failures,
})

export interface HttpRequest extends ErrorContext, RequestContext {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  /** Headers only for the deployment: they are dropped when a redirect leads to another origin. */
  readonly ownHeaders?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | StreamedBody
  /** Milliseconds to wait for the response in addition to the usual timeout, if the server was asked to wait. @default 0 */
  readonly extraTimeout?: number
  /** Hint: the response's body is expected to be large. */
  readonly large?: TransportRequest['large']
  /** Returns true if a redirect to this location is the result. It is then not followed. */
  readonly stopAt?: (location: string) => boolean
  /**
   * What to do if a connection that was kept open breaks before any byte of the response. `resend` sends the request once more on
   * a new connection. `fail` fails with an error that `isStale`, for requests that must not be carried out twice. With `fail`,
   * the request uses a new connection at once if another kept connection broke recently.
   *
   * @default 'resend'
   */
  readonly whenStale?: 'resend' | 'fail'
  /** Uses a new connection. */
  readonly fresh?: boolean
}

export interface HttpOptions {
  readonly deployment: Deployment
  readonly credentials: Credentials
  readonly transport: Transport
  /** Milliseconds until the response to a request must begin. */
  readonly connectTimeout: number
  /** Milliseconds that a transfer may be idle. */
  readonly idleTimeout: number
  /** For calls without their own retry options. */
  readonly retries: Retries
  readonly onEvent?: EventListener | undefined
}

/** The number of attempts after the first, and the milliseconds before the second. */
export type Retries = Pick<RetryOptions, 'retries' | 'retryDelay'>

const MAX_REDIRECTS = 5
/** After a kept connection broke, requests that must not be repeated use new connections for this time, in ms. */
const AVOID_KEPT_MS = 5 * 60_000
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Sends requests to a deployment. Applies tokens, redirects, timeouts and retries. */
export class Http {
  readonly deployment: Deployment
  readonly retries: Retries
  /** Removes every token that was sent from a server's text. */
  readonly redact: (text: string) => string
  readonly #o: HttpOptions

  /** True if the transport can send a `StreamedBody`. */
  readonly streams: boolean
  #avoidKeptUntil = 0

  constructor(o: HttpOptions) {
    this.deployment = o.deployment
    this.streams = o.transport.streams
    this.retries = o.retries
    this.redact = o.credentials.redact
    this.#o = o
  }

  /** Sends one request, and once more with a new token after a 401. @throws IvcapError for any response other than 2xx */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#follow(request)
    if (response.ok || isResult(request, response)) return response
    throw await responseFailure(response, { ...request, url: response.url }, this.#o.credentials)
  }

  /** Returns the JSON of the response, validated. Not repeated. */
  async requestOnce<S extends v.GenericSchema>(request: HttpRequest, schema: S): Promise<v.InferOutput<S>> {
    const response = await this.send(request)
    const text = await response.text()
    return decodeJson(schema, text, request, this.#o.credentials.redact)
  }

  /** Like `requestOnce`, with retries: for requests that are safe to repeat. */
  request<S extends v.GenericSchema>(
    request: HttpRequest,
    schema: S,
    o: Retries = this.retries,
  ): Promise<v.InferOutput<S>> {
    return retry(() => this.requestOnce(request, schema), this.retrying(request, o))
  }

  /** Options for `retry`. Its events reach the listeners of the call and of the backend. */
  retrying({ signal, onEvent, failures }: RequestContext, o: Retries = this.retries): RetryOptions {
    const { retries, retryDelay } = o
    return { retries, retryDelay, signal, failures, onEvent: (event) => this.emit(event, { onEvent }) }
  }

  emit(event: IvcapEvent, { onEvent }: RequestContext): void {
    emit(event, this.#o.onEvent, onEvent)
  }

  async #follow(request: HttpRequest): Promise<HttpResponse> {
    let url = request.url
    let own = this.deployment.isSameOrigin(url)
    for (let hops = 0; ; hops += 1) {
      const response = await this.#authorized(request, url, own)
      if (!REDIRECTS.has(response.status) || isResult(request, response)) return response
      await response.cancel()
      if (hops === MAX_REDIRECTS)
        throw redirectError(request, response, `it is the ${MAX_REDIRECTS + 1}th redirect in a row`)
      url = this.#redirected(request, response)
      // after a redirect to another origin, the rest of the chain gets no token
      own &&= this.deployment.isSameOrigin(url)
    }
  }

  /**
   * Returns the target of a redirect if it may be followed. A GET may follow any redirect except from https to http. Other
   * methods may follow redirects only to the deployment itself, and only with 307 or 308, which keep method and body.
   */
  #redirected(request: HttpRequest, response: HttpResponse): URL {
    const target = redirectTarget(response.headers.get('location') ?? '', response.url)
    if (target === undefined || !response.headers.has('location')) {
      throw redirectError(request, response, 'it names no http address')
    }
    if (response.url.protocol === 'https:' && target.protocol === 'http:') {
      throw redirectError(
        request,
        response,
        `it leads from https to ${printable(target)}, which is not encrypted: check the url of the deployment`,
      )
    }
    if (request.method === 'GET') return target
    if (!this.deployment.isSameOrigin(target)) {
      throw redirectError(
        request,
        response,
        `${request.method} is not sent to ${target.origin}, which is elsewhere`,
      )
    }
    if (response.status !== 307 && response.status !== 308) {
      throw redirectError(request, response, `${request.method} can't follow it`)
    }
    return target
  }

  async #authorized(request: HttpRequest, url: URL, own: boolean): Promise<HttpResponse> {
    const response = await this.#connected(request, url, own)
    if (response.status !== 401 || !own || !this.#o.credentials.renewable) return response
    await response.cancel()
    return this.#connected(request, url, own)
  }

  /**
   * A server may close a kept connection at any time without notice. That alone is not a failure of the request. The server is
   * likely to do it again, so requests that must not be repeated avoid kept connections for a while.
   */
  async #connected(request: HttpRequest, url: URL, own: boolean): Promise<HttpResponse> {
    const resend = request.whenStale !== 'fail'
    const fresh = request.fresh === true || (!resend && performance.now() < this.#avoidKeptUntil)
    try {
      return await this.#once({ ...request, fresh }, url, own)
    } catch (error) {
      if (!isStale(error)) throw error
      this.#avoidKeptUntil = performance.now() + AVOID_KEPT_MS
      if (!resend || request.signal?.aborted) throw error
      return this.#once({ ...request, fresh: true }, url, own)
    }
  }

  /** One timeout covers everything that is awaited: the token, the response, and later its body. */
  async #once(request: HttpRequest, url: URL, own: boolean): Promise<HttpResponse> {
    const context: ErrorContext = { ...request, url }
    const { idleTimeout } = this.#o
    const timeout = new IdleTimeout(request.signal)
    try {
      const authorization = own ? await this.#authorization(context, timeout) : undefined
      const raw = await this.#exchange(request, { url, own, authorization, timeout })
      const coding = hasBody(request.method, raw) ? unknownCoding(raw.headers) : undefined
      if (coding !== undefined || raw.status < 200) {
        await timeout.run(raw.cancel(), idleTimeout, () => timeoutFailure(context, idleTimeout))
        throw protocolFailure(
          context,
          coding === undefined ? `${raw.status}` : `a body in the unknown Content-Encoding ${coding}`,
        )
      }
      return new HttpResponse(raw, {
        url: raw.url ?? url,
        timeout,
        idleTimeout,
        broken: (cause) =>
          cause === undefined ? timeoutFailure(context, idleTimeout) : connectionFailure(cause, context),
        tooLong: (limit) => protocolFailure(context, `a body of more than ${limit >> 20} MiB`),
      })
    } catch (error) {
      timeout.end()
      if (timeout.signal.aborted) throw timeout.signal.reason
      if (error instanceof BodyReadError) throw error.cause
      throw error instanceof IvcapError ? error : connectionFailure(error, context)
    }
  }

  #authorization(context: ErrorContext, timeout: IdleTimeout): Promise<string | undefined> {
    const { credentials, connectTimeout } = this.#o
    return timeout.run(credentials.authorization(), connectTimeout, () =>
      tokenTimeout(context, connectTimeout),
    )
  }

  async #exchange(
    request: HttpRequest,
    {
      url,
      own,
      authorization,
      timeout,
    }: {
      readonly url: URL
      readonly own: boolean
      readonly authorization: string | undefined
      readonly timeout: IdleTimeout
    },
  ): Promise<TransportResponse> {
    const { method, body, large, fresh } = request
    const { transport, connectTimeout, idleTimeout } = this.#o
    timeout.signal.throwIfAborted()
    const headers = {
      ...request.headers,
      ...(authorization !== undefined && { Authorization: authorization }),
    }
    const ownHeaders = { ...headers, ...(own && request.ownHeaders) }
    const ms = (body === undefined ? connectTimeout : idleTimeout) + (request.extraTimeout ?? 0)
    const message = {
      method,
      url,
      signal: timeout.signal,
      onSent: () => timeout.touch(),
      ...(body !== undefined && { body }),
      ...(large && { large }),
      ...(fresh && { fresh }),
    }
    const send = (message: TransportRequest) =>
      timeout.run(
        transport.send(message),
        ms,
        () => timeoutFailure({ ...request, url }, ms),
        (raw) => void raw.cancel().catch(() => {}),
      )
    const raw = await send({ ...message, headers: ownHeaders, follow: false })
    if (!raw.hidden) return raw
    // A browser does not show the location of a redirect, so the browser itself must follow it, for a GET. At another origin it
    // drops Authorization, but none of our other headers.
    if (method !== 'GET') throw hiddenRedirect({ ...request, url })
    return send({ ...message, headers, follow: true })
  }
}

const hasBody = (method: string, { status }: TransportResponse): boolean =>
  method !== 'HEAD' && status !== 204 && status !== 304

function isResult({ stopAt }: HttpRequest, { status, headers }: HttpResponse): boolean {
  return REDIRECTS.has(status) && stopAt?.(headers.get('location') ?? '') === true
}

function redirectError(request: HttpRequest, response: HttpResponse, why: string): IvcapError {
  const context = { ...request, url: response.url }
  return refusedRedirect(context, `a redirect (${response.status}) that is not followed: ${why}`)
}

function hiddenRedirect(context: ErrorContext): IvcapError {
  return refusedRedirect(context, 'a redirect, which is not followed: a browser does not show where it leads')
}
