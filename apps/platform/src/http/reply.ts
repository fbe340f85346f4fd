import type { ServerResponse } from 'node:http'
import type { JsonValue } from '@ivcap/core/driver'

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
