import type { IncomingMessage } from 'node:http'

/** What goes wrong with one request on its way. */
export type Fault =
  /** It comes to the server so many milliseconds later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection is reset once so many bytes of the request's body have gone on; the server gets those. */
  | { readonly kind: 'reset'; readonly after: number }
  /** The server does what it was asked; its answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** The connection is reset, and the server gets the request all the same, so many milliseconds later, or after `until`. */
  | { readonly kind: 'late'; readonly ms: number; readonly until?: Promise<unknown> }
  /** It comes to the server once that has settled. */
  | { readonly kind: 'hold'; readonly until: () => Promise<unknown> }
  /** The server gets it twice, one after the other; the client has the second answer. */
  | { readonly kind: 'twice' }
  /** Its answer is held back until one to a later request has gone on, so many milliseconds at the most. */
  | { readonly kind: 'overtaken'; readonly ms: number }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** No answer, ever. */
  | { readonly kind: 'stall' }
  /** The answer's body ends after so many bytes: by a reset, by a plain end without a length, or not at all. */
  | { readonly kind: 'cut-answer'; readonly after: number; readonly how: 'reset' | 'end' | 'stall' }
  /** The answer's body comes in pieces of so many bytes. */
  | { readonly kind: 'dribble'; readonly bytes: number }
  /** The answer's body waits so many milliseconds after so many bytes. */
  | { readonly kind: 'pause'; readonly after: number; readonly ms: number }
  /** A bit of this byte of the answer's body is flipped; a shorter body stays as it is. */
  | { readonly kind: 'flip'; readonly at: number }
  /** A bit of this byte of the request's body is flipped on its way; a shorter body stays as it is. */
  | { readonly kind: 'flip-sent'; readonly at: number }
  /** The answer is whole and says nothing of it, and then the server closes the connection. */
  | { readonly kind: 'close' }
  /** The request is answered by a page without items; what asks for the next page, by `token`, is sent on instead of it. */
  | { readonly kind: 'empty-page'; readonly page: (token: string) => string }
  /** The answer's body is another one. */
  | { readonly kind: 'edit'; readonly edit: (body: string) => string }

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Bytes of its body that came to the proxy. */
  sent: number
  /** Milliseconds, monotonic. */
  readonly at: number
}

/** @param n the number of the request, from 0 */
export type Plan = (seen: Seen, n: number) => Fault | undefined
