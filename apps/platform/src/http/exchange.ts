import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonValue } from '@ivcap/core/driver'

/** A request and its response. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Path parameters of the route, percent-decoded. */
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: URLSearchParams
  /** Aborts when the client disconnects or the server's shutdown timeout is over. */
  readonly signal: AbortSignal
  /** The origin by which the client addresses the server, e.g. `http://localhost:8088`. */
  readonly origin: string
}

export type Handler = (exchange: Exchange) => Promise<void>

/** Returns the first value of a request header; undefined if it is absent. */
export function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Sends a value as JSON. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: JsonValue | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJsonText(res, status, JSON.stringify(body), headers)
}

/** Sends text that is JSON already. */
export function sendJsonText(
  res: ServerResponse,
  status: number,
  json: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(json)
  res.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-store',
  })
  res.end(bytes)
}

/** Returns the JSON of an object with one additional member, whose value is given as JSON. */
export function withMember(object: object, key: string, json: string): string {
  const rest = JSON.stringify(object).slice(1)
  return `{${JSON.stringify(key)}:${json}${rest === '}' ? '' : ','}${rest}`
}

/** Sends a response without a body. */
export function sendEmpty(res: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  res.writeHead(status, headers)
  res.end()
}
