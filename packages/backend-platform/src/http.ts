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
import type { Credentials } from './credentials.js'
import { decodeJson } from './decode.js'
import {
  type Asked,
  connectionFailure,
  isStale,
  protocolFailure,
  refusedRedirect,
  replyFailure,
  timeoutFailure,
  tokenTimeout,
} from './failure.js'
import { Reply } from './reply.js'
import { unknownCoding } from './transport/encoding.js'
import { type Answer, BodyFailure, type Message, type Streamed, type Transport } from './transport/types.js'
import { type Deployment, redirectTarget, shown } from './urls.js'
import { Watch } from './watch.js'

/** What comes with each call of the client, as far as a request needs it. */
export interface RequestContext {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: EventListener | undefined
  readonly failures?: OpOptions['failures'] | undefined
}

/** No more than that of larger options. */
export const contextOf = ({ signal, onEvent, failures }: RequestContext): RequestContext => ({
  signal,
  onEvent,
  failures,
})

export interface HttpRequest extends Asked, RequestContext {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  /** Headers for the deployment itself; they don't follow a redirect that leads elsewhere. */
  readonly ownHeaders?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Streamed
  /** Milliseconds that the answer may take on top of the usual, since the server was asked to wait. */
  readonly patience?: number
  /** A GET that much is expected of. */
  readonly large?: Message['large']
  /** Whether a redirect to there is the answer itself, and not followed. */
  readonly stopAt?: (location: string) => boolean
  /**
   * What to do if a connection that was kept open breaks before any byte of the answer: send the request once more on a new one,
   * or fail with an error that `isStale`, for requests that must not be carried out twice. @default 'resend'
   */
  readonly whenStale?: 'resend' | 'fail'
  /** Use a new connection. */
  readonly fresh?: boolean
}

export interface HttpOptions {
  readonly deployment: Deployment
  readonly credentials: Credentials
  readonly transport: Transport
  /** Milliseconds until the answer to a request must begin. */
  readonly connectTimeout: number
  /** Milliseconds that a transfer may stand still. */
  readonly idleTimeout: number
  /** For calls that carry no options for it. */
  readonly retries: Retries
  readonly onEvent?: EventListener | undefined
}

/** Attempts after the first, and the milliseconds before it. */
export type Retries = Pick<RetryOptions, 'retries' | 'retryDelay'>

const MAX_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Requests to a deployment: who gets the token, what is followed, when it is given up, what is repeated. */
export class Http {
  readonly deployment: Deployment
  readonly retries: Retries
  /** Text of a server without any token that was sent. */
  readonly redact: (text: string) => string
  readonly #o: HttpOptions

  /** Whether bytes may be read while they are sent. */
  readonly streams: boolean

  constructor(o: HttpOptions) {
    this.deployment = o.deployment
    this.streams = o.transport.streams
    this.retries = o.retries
    this.redact = o.credentials.redact
    this.#o = o
  }

  /** One request; asked again once, with a new token, after a 401. @throws IvcapError for any answer but 2xx */
  async send(request: HttpRequest): Promise<Reply> {
    const reply = await this.#follow(request)
    if (reply.ok || stopsAt(request, reply)) return reply
    throw await replyFailure(reply, { ...request, url: reply.url }, this.#o.credentials)
  }

  /** The JSON of the answer, checked. Not repeated. */
  async json<S extends v.GenericSchema>(request: HttpRequest, schema: S): Promise<v.InferOutput<S>> {
    const reply = await this.send(request)
    const text = await reply.text()
    return decodeJson(schema, text, request, this.#o.credentials.redact)
  }

  /** As `json`, for what may be asked as often as one likes. */
  ask<S extends v.GenericSchema>(
    request: HttpRequest,
    schema: S,
    o: Retries = this.retries,
  ): Promise<v.InferOutput<S>> {
    return retry(() => this.json(request, schema), this.retrying(request, o))
  }

  /** Options for `retry`, whose events reach the listener of the call and that of the backend. */
  retrying({ signal, onEvent, failures }: RequestContext, o: Retries = this.retries): RetryOptions {
    const { retries, retryDelay } = o
    return { retries, retryDelay, signal, failures, onEvent: (event) => this.tell(event, { onEvent }) }
  }

  tell(event: IvcapEvent, { onEvent }: RequestContext): void {
    emit(event, this.#o.onEvent, onEvent)
  }

  async #follow(request: HttpRequest): Promise<Reply> {
    let url = request.url
    let own = this.deployment.contains(url)
    for (let hops = 0; ; hops += 1) {
      const reply = await this.#authorized(request, url, own)
      if (!REDIRECTS.has(reply.status) || stopsAt(request, reply)) return reply
      await reply.cancel()
      if (hops === MAX_REDIRECTS) throw refused(request, reply, 'it is one redirect after the other')
      url = this.#redirected(request, reply)
      // who has left the deployment once doesn't come back with the token
      own &&= this.deployment.contains(url)
    }
  }

  /**
   * Where a redirect may lead: a GET anywhere, but not from https to http; everything else, and above all what carries
   * bytes, only to the deployment itself, and only unchanged (307, 308).
   */
  #redirected(request: HttpRequest, reply: Reply): URL {
    const target = redirectTarget(reply.headers.get('location') ?? '', reply.url)
    if (target === undefined || !reply.headers.has('location')) {
      throw refused(request, reply, 'it names no http address')
    }
    if (reply.url.protocol === 'https:' && target.protocol === 'http:') {
      throw refused(
        request,
        reply,
        `it leads from https to ${shown(target)}, which is not encrypted: check the url of the deployment`,
      )
    }
    if (request.method === 'GET') return target
    if (!this.deployment.contains(target)) {
      throw refused(request, reply, `${request.method} is not sent to ${target.origin}, which is elsewhere`)
    }
    if (reply.status !== 307 && reply.status !== 308) {
      throw refused(request, reply, `${request.method} can't follow it`)
    }
    return target
  }

  async #authorized(request: HttpRequest, url: URL, own: boolean): Promise<Reply> {
    const reply = await this.#connected(request, url, own)
    if (reply.status !== 401 || !own || !this.#o.credentials.renewable) return reply
    await reply.cancel()
    return this.#connected(request, url, own)
  }

  /** A server may close a kept connection at any time, unannounced: that is no failure of the request. */
  async #connected(request: HttpRequest, url: URL, own: boolean): Promise<Reply> {
    try {
      return await this.#once(request, url, own)
    } catch (error) {
      if (!isStale(error) || request.whenStale === 'fail' || request.signal?.aborted) throw error
      return this.#once({ ...request, fresh: true }, url, own)
    }
  }

  /** Everything that is awaited for an exchange is under one watch: the token, the answer, and later its body. */
  async #once(request: HttpRequest, url: URL, own: boolean): Promise<Reply> {
    const asked: Asked = { ...request, url }
    const { idleTimeout } = this.#o
    const watch = new Watch(request.signal)
    try {
      const authorization = own ? await this.#authorization(asked, watch) : undefined
      const answer = await this.#exchange(request, { url, own, authorization, watch })
      const coding = hasBody(request.method, answer) ? unknownCoding(answer.headers) : undefined
      if (coding !== undefined || answer.status < 200) {
        await watch.over(answer.cancel(), idleTimeout, () => timeoutFailure(asked, idleTimeout))
        throw protocolFailure(
          asked,
          coding === undefined ? `${answer.status}` : `a body in the unknown Content-Encoding ${coding}`,
        )
      }
      return new Reply(answer, {
        url: answer.url ?? url,
        watch,
        idleTimeout,
        broken: (cause) =>
          cause === undefined ? timeoutFailure(asked, idleTimeout) : connectionFailure(cause, asked),
        tooLong: (limit) => protocolFailure(asked, `a body of more than ${limit >> 20} MiB`),
      })
    } catch (error) {
      watch.end()
      if (watch.signal.aborted) throw watch.signal.reason
      if (error instanceof BodyFailure) throw error.cause
      throw error instanceof IvcapError ? error : connectionFailure(error, asked)
    }
  }

  #authorization(asked: Asked, watch: Watch): Promise<string | undefined> {
    const { credentials, connectTimeout } = this.#o
    return watch.over(credentials.authorization(), connectTimeout, () => tokenTimeout(asked, connectTimeout))
  }

  async #exchange(
    request: HttpRequest,
    {
      url,
      own,
      authorization,
      watch,
    }: {
      readonly url: URL
      readonly own: boolean
      readonly authorization: string | undefined
      readonly watch: Watch
    },
  ): Promise<Answer> {
    const { method, body, large, fresh } = request
    const { transport, connectTimeout, idleTimeout } = this.#o
    watch.signal.throwIfAborted()
    const headers = {
      ...request.headers,
      ...(authorization !== undefined && { Authorization: authorization }),
    }
    const ownHeaders = { ...headers, ...(own && request.ownHeaders) }
    const ms = (body === undefined ? connectTimeout : idleTimeout) + (request.patience ?? 0)
    const message = {
      method,
      url,
      signal: watch.signal,
      onSent: () => watch.moved(),
      ...(body !== undefined && { body }),
      ...(large && { large }),
      ...(fresh && { fresh }),
    }
    const send = (message: Message) =>
      watch.over(
        transport.send(message),
        ms,
        () => timeoutFailure({ ...request, url }, ms),
        (answer) => void answer.cancel().catch(() => {}),
      )
    const answer = await send({ ...message, headers: ownHeaders, follow: false })
    if (!answer.hidden) return answer
    // A browser doesn't tell where it leads. It may follow a GET itself: at another origin it drops Authorization,
    // but no header of ours.
    if (method !== 'GET') throw hidden({ ...request, url })
    return send({ ...message, headers, follow: true })
  }
}

const hasBody = (method: string, { status }: Answer): boolean =>
  method !== 'HEAD' && status !== 204 && status !== 304

function stopsAt({ stopAt }: HttpRequest, { status, headers }: Reply): boolean {
  return REDIRECTS.has(status) && stopAt?.(headers.get('location') ?? '') === true
}

function refused(request: HttpRequest, reply: Reply, why: string): IvcapError {
  const asked = { ...request, url: reply.url }
  return refusedRedirect(asked, `a redirect (${reply.status}) that is not followed: ${why}`)
}

function hidden(asked: Asked): IvcapError {
  return refusedRedirect(asked, 'a redirect, which is not followed: a browser does not tell where it leads')
}
