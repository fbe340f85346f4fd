import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request on its way to its answer. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The parts of the path that the route names, percent-decoded. */
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: URLSearchParams
  /** Aborts when the client has gone, or the server can't wait any longer. */
  readonly signal: AbortSignal
  /** The server as this client knows it, e.g. `http://localhost:8088`. */
  readonly origin: string
}

export type Handler = (exchange: Exchange) => Promise<void>

/** A request header that comes once; undefined where it is absent. */
export function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name]
  return Array.isArray(value) ? value[0] : value
}
