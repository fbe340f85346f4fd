import type { ServerResponse } from 'node:http'
import type { JsonValue } from '@ivcap/core/driver'

/** Answers with JSON. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: JsonValue | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body))
  res.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-store',
  })
  res.end(bytes)
}

/** Answers without a body. */
export function sendEmpty(res: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  res.writeHead(status, headers)
  res.end()
}
