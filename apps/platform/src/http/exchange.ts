import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonValue } from '@ivcap/core/driver'

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

/** Answers with JSON. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: JsonValue | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJsonText(res, status, JSON.stringify(body), headers)
}

/** Answers with a text that is JSON already. */
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

/** The JSON of an object with one member more, whose JSON is given: large parts are encoded by themselves. */
export function withMember(object: object, key: string, json: string): string {
  const rest = JSON.stringify(object).slice(1)
  return `{${JSON.stringify(key)}:${json}${rest === '}' ? '' : ','}${rest}`
}

/** Answers without a body. */
export function sendEmpty(res: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  res.writeHead(status, headers)
  res.end()
}
