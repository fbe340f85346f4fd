import type { ChunkMemory } from '@ivcap/core/driver'

/** Pieces of a streamed body that may be handed to the system before the first of them is known to be sent. */
export const MAX_IN_FLIGHT = 2

/** A body that is read while it is sent. */
export interface StreamedBody {
  /** Bytes. */
  readonly size: number
  /** Opens the body at its start, each time. A piece is valid until `MAX_IN_FLIGHT` more were requested. */
  open(): AsyncIterable<Uint8Array>
}

export interface TransportRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | StreamedBody
  /** Aborts the exchange, including the response's body. */
  readonly signal: AbortSignal
  /** Lets a browser follow redirects, because it does not show their location. Elsewhere redirects are never followed here. */
  readonly follow: boolean
  /** Hint: the response's body is expected to be large, and worth a separate connection. */
  readonly large?: { readonly memory: ChunkMemory | undefined } | undefined
  /** Uses a new connection instead of one that was kept open after an earlier request. */
  readonly fresh?: boolean
  /** Called whenever some bytes of a streamed body were sent. */
  readonly onSent?: () => void
}

export interface TransportResponse {
  readonly status: number
  readonly headers: Headers
  /** Where the response came from, if a redirect was followed. */
  readonly url?: URL
  /** True for a redirect whose status and location a browser does not show. */
  readonly hidden: boolean
  /** The next bytes of the body; undefined at its end. Nothing is fetched before the first call. */
  next(): Promise<Uint8Array | undefined>
  /** Resolves when the body has stopped. Idempotent, also after the end. */
  cancel(): Promise<void>
}

/** Sends one request and returns the response: without retries, redirects, cookies or cache. */
export interface Transport {
  /** True if a `StreamedBody` can be sent. */
  readonly streams: boolean
  /** Rejects with one of the errors below, or with a system error. */
  send(request: TransportRequest): Promise<TransportResponse>
  close(): void
}

export interface TransportOptions {
  /** The function that sends requests. @default node:http in Node, the global fetch elsewhere */
  readonly fetch: typeof globalThis.fetch | undefined
  /** True if the proxies in the environment are used (Node). */
  readonly proxy: boolean
}

/** The request's body could not be read. */
export class BodyReadError extends Error {
  constructor(cause: unknown) {
    super('the body could not be read', { cause })
    this.name = 'BodyReadError'
  }
}

/**
 * A connection that was kept open after an earlier request broke before any byte of the response. Usually the server had closed
 * it while it was idle and never received this request, but that is not certain.
 */
export class StaleConnectionError extends Error {
  constructor(cause: unknown) {
    super('a connection that was kept open had been closed', { cause })
    this.name = 'StaleConnectionError'
  }
}

/** The server's response breaks the rules of HTTP. */
export class HttpProtocolError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'HttpProtocolError'
  }
}

/** The proxy can't be reached, or refuses to connect to the server. The request was not sent. */
export class ProxyError extends Error {
  /** Host and port of the proxy. */
  readonly proxy: string
  /** The status of the proxy's response; absent if the proxy could not be reached. */
  readonly status: number | undefined

  constructor(proxy: string, reason: { readonly status: number | undefined } | { readonly cause: unknown }) {
    super(`no connection by the proxy ${proxy}`, 'cause' in reason ? { cause: reason.cause } : {})
    this.name = 'ProxyError'
    this.proxy = proxy
    this.status = 'status' in reason ? reason.status : undefined
  }
}

/** Content codings that a transport decodes. Node 20 has no decoder for zstd. */
const DECODED: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br'])

/** The codings of a body in the order in which they were applied: lower case, without `identity`. */
export function contentCodings(headers: Headers): readonly string[] {
  const names = (headers.get('content-encoding') ?? '').split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

/** The first coding that no transport decodes. */
export const unknownCoding = (headers: Headers): string | undefined =>
  contentCodings(headers).find((coding) => !DECODED.has(coding))
