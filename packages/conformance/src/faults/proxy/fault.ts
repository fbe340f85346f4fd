import type { IncomingMessage } from 'node:http'

/** A fault of one request or of its response. */
export type Fault =
  /** The server gets the request `ms` milliseconds later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection is reset after `after` bytes of the request body were forwarded. The server gets these bytes. */
  | { readonly kind: 'reset'; readonly after: number }
  /** The server carries out the request, but the response is lost. */
  | { readonly kind: 'lose-answer' }
  /** The connection is reset, but the server still gets the request, `ms` milliseconds later or after `until`. */
  | { readonly kind: 'late'; readonly ms: number; readonly until?: Promise<unknown> }
  /** The server gets the request once the promise of `until` has resolved. */
  | { readonly kind: 'hold'; readonly until: () => Promise<unknown> }
  /** The server gets the request twice, one after the other. The client gets the second response. */
  | { readonly kind: 'twice' }
  /** The response is held until the response to a later request was sent, but for at most `ms` milliseconds. */
  | { readonly kind: 'overtaken'; readonly ms: number }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** The client never gets a response. */
  | { readonly kind: 'stall' }
  /** The response body stops after `after` bytes: the connection is cut, the body ends without a length, or it never ends. */
  | { readonly kind: 'cut-answer'; readonly after: number; readonly how: 'reset' | 'end' | 'stall' }
  /** The response body is sent in pieces of `bytes` bytes. */
  | { readonly kind: 'dribble'; readonly bytes: number }
  /** The response body pauses for `ms` milliseconds after `after` bytes. */
  | { readonly kind: 'pause'; readonly after: number; readonly ms: number }
  /** A bit of byte `at` of the response body is flipped. A shorter body stays unchanged. */
  | { readonly kind: 'flip'; readonly at: number }
  /** A bit of byte `at` of the request body is flipped. A shorter body stays unchanged. */
  | { readonly kind: 'flip-sent'; readonly at: number }
  /** The response is complete and does not announce a close, but then the server closes the connection. */
  | { readonly kind: 'close' }
  /** The response is a page without items. The request for the next page, by `token`, is forwarded as the original request. */
  | { readonly kind: 'empty-page'; readonly page: (token: string) => string }
  /** The response body is replaced by the result of `edit`. */
  | { readonly kind: 'edit'; readonly edit: (body: string) => string }

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Bytes of the request body that reached the proxy. */
  sent: number
  /** Milliseconds, monotonic. */
  readonly at: number
}

/** @param n the number of the request, from 0 */
export type Plan = (seen: Seen, n: number) => Fault | undefined
