import type { IncomingMessage } from 'node:http'
import { isJsonObject, type JsonValue } from '@ivcap/core/driver'
import { nextTurn } from '@ivcap/core/internal'
import { badRequest } from './errors.js'
import { header } from './exchange.js'
import { checkJson } from './json-scan.js'

/** Larger bodies, in bytes, are parsed in a separate turn of the event loop. */
const LARGE = 128 * 1024

/**
 * Returns the body as text.
 *
 * @throws IvcapError with status 413 if it has more than `limit` bytes, 400 if it is not UTF-8
 */
export async function readText(req: IncomingMessage, limit: number): Promise<string> {
  return decode(await readBytes(req, limit))
}

/**
 * Parses the body as a JSON object. The caller owns the object and may change it.
 *
 * @throws IvcapError with status 413 if it has more than `limit` bytes, 415 for another Content-Type, 400 if it is not a JSON
 * object, is nested too deeply, or has a number that JavaScript cannot represent
 */
export async function readJsonObject(
  req: IncomingMessage,
  limit: number,
): Promise<Record<string, JsonValue>> {
  const type = header(req, 'content-type')
  if (type === undefined || !/^application\/(json|[^;]+\+json)\s*(;|$)/i.test(type)) {
    throw badRequest('Content-Type', 'the body must be JSON: send Content-Type: application/json', 415)
  }
  const bytes = await readBytes(req, limit)
  await checkJson(bytes)
  if (bytes.byteLength > LARGE) await nextTurn()
  const value = parse(decode(bytes))
  if (isJsonObject(value)) return value
  throw badRequest('body', 'the body must be a JSON object')
}

async function readBytes(req: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = Number(header(req, 'content-length') ?? 0)
  if (length > limit) throw tooLarge(limit)
  length = 0
  // an early exit must not destroy the request: the client still needs the error response
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    length += chunk.byteLength
    if (length > limit) {
      req.resume()
      throw tooLarge(limit)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw badRequest('body', 'the body is not UTF-8 text')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('body', `the body is not valid JSON${text === '' ? ': it is empty' : ''}`)
  }
}

function tooLarge(limit: number) {
  return badRequest('body', `the body has more than ${limit} bytes: store large data as an artifact`, 413)
}
