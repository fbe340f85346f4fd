import { IvcapError, type RetryOptions, retry } from '@ivcap/core/driver'
import type * as v from 'valibot'
import type { Credentials } from './credentials.js'
import { decodeJson } from './decode.js'
import { type Asked, connectionFailure, protocolFailure, replyFailure, timeoutFailure } from './failure.js'
import { Reply } from './reply.js'
import { BodyFailure, type Message, type Streamed, type Transport } from './transport/types.js'
import { type Deployment, redirectTarget, shown } from './urls.js'
import { Watch } from './watch.js'

export interface HttpRequest extends Asked {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  /** Headers for the deployment itself; they don't follow a redirect that leads elsewhere. */
  readonly ownHeaders?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Streamed
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that the answer may take on top of the usual, since the server was asked to wait. */
  readonly patience?: number
  /** A GET that much is expected of. */
  readonly large?: Message['large']
  /** Whether a redirect to there is the answer itself, and not followed. */
  readonly stopAt?: (location: string) => boolean
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
}

/** Attempts after the first, and the milliseconds before it. */
export type Retries = Pick<RetryOptions, 'retries' | 'retryDelay'>

const MAX_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Requests to a deployment: who gets the token, what is followed, when it is given up, what is repeated. */
export class Http {
  readonly deployment: Deployment
  readonly retries: Retries
  readonly #o: HttpOptions

  /** Whether bytes may be read while they are sent. */
  readonly streams: boolean

  constructor(o: HttpOptions) {
    this.deployment = o.deployment
    this.streams = o.transport.streams
    this.retries = o.retries
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
    return retry(() => this.json(request, schema), { ...o, signal: request.signal })
  }

  async #follow(request: HttpRequest): Promise<Reply> {
    let url = request.url
    let own = this.deployment.owns(url)
    for (let hops = 0; ; hops += 1) {
      const reply = await this.#authorized(request, url, own)
      if (!REDIRECTS.has(reply.status) || stopsAt(request, reply)) return reply
      await reply.cancel()
      if (hops === MAX_REDIRECTS) throw refused(request, reply, 'it is one redirect after the other')
      url = this.#redirected(request, reply)
      // who has left the deployment once doesn't come back with the token
      own &&= this.deployment.owns(url)
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
      throw refused(request, reply, `${shown(target)} is not encrypted, as this is`)
    }
    if (request.method === 'GET') return target
    if (!this.deployment.owns(target)) {
      throw refused(request, reply, `${request.method} is not sent to ${target.origin}, which is elsewhere`)
    }
    if (reply.status !== 307 && reply.status !== 308) {
      throw refused(request, reply, `${request.method} can't follow it`)
    }
    return target
  }

  async #authorized(request: HttpRequest, url: URL, own: boolean): Promise<Reply> {
    const reply = await this.#once(request, url, own)
    if (reply.status !== 401 || !own || !this.#o.credentials.renewable) return reply
    await reply.cancel()
    return this.#once(request, url, own)
  }

  async #once(request: HttpRequest, url: URL, own: boolean): Promise<Reply> {
    const { method, body, large, signal } = request
    const asked: Asked = { ...request, url }
    const authorization = own ? await this.#o.credentials.authorization() : undefined
    signal?.throwIfAborted()
    const headers = {
      ...request.headers,
      ...(authorization !== undefined && { Authorization: authorization }),
    }
    const ownHeaders = { ...headers, ...(own && request.ownHeaders) }
    const watch = new Watch(signal)
    const { transport, connectTimeout, idleTimeout } = this.#o
    const ms = (body === undefined ? connectTimeout : idleTimeout) + (request.patience ?? 0)
    const late = () => timeoutFailure(asked, ms)
    const message = {
      method,
      url,
      signal: watch.signal,
      onSent: () => watch.moved(),
      ...(body !== undefined && { body }),
      ...(large && { large }),
    }
    try {
      let answer = await watch.over(
        transport.send({ ...message, headers: ownHeaders, follow: false }),
        ms,
        late,
      )
      if (answer.hidden) {
        // A browser doesn't tell where it leads. It may follow a GET itself: at another origin it drops Authorization,
        // but no header of ours.
        if (method !== 'GET') throw hidden(asked)
        answer = await watch.over(transport.send({ ...message, headers, follow: true }), ms, late)
      }
      return new Reply(answer, {
        url: answer.url ?? url,
        watch,
        idleTimeout,
        broken: (cause) =>
          cause === undefined ? timeoutFailure(asked, idleTimeout) : connectionFailure(cause, asked),
      })
    } catch (error) {
      watch.end()
      if (watch.signal.aborted) throw watch.signal.reason
      if (error instanceof BodyFailure) throw error.cause
      throw error instanceof IvcapError ? error : connectionFailure(error, asked)
    }
  }
}

function stopsAt({ stopAt }: HttpRequest, { status, headers }: Reply): boolean {
  return REDIRECTS.has(status) && stopAt?.(headers.get('location') ?? '') === true
}

function refused(request: HttpRequest, reply: Reply, why: string): IvcapError {
  const asked = { ...request, url: reply.url }
  return protocolFailure(asked, `a redirect (${reply.status}) that is not followed: ${why}`)
}

function hidden(asked: Asked): IvcapError {
  return protocolFailure(asked, 'a redirect, which is not followed: a browser does not tell where it leads')
}
