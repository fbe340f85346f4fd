import type { IncomingMessage } from 'node:http'
import { badRequest } from './errors.js'
import { header } from './exchange.js'

/**
 * The body as text, not more than `limit` bytes of it in memory.
 *
 * @throws IvcapError with status 413 for a longer one, 400 for one that isn't UTF-8
 */
export async function readText(req: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = Number(header(req, 'content-length') ?? 0)
  if (length > limit) throw tooLarge(limit)
  length = 0
  // not destroyed when left early: the client still has to hear why
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    length += chunk.byteLength
    if (length > limit) {
      req.resume()
      throw tooLarge(limit)
    }
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw badRequest('body', 'the body is not UTF-8 text')
  }
}

/** The body as JSON, which its Content-Type must say it is. */
export async function readJson(req: IncomingMessage, limit: number): Promise<unknown> {
  const type = header(req, 'content-type')
  if (type === undefined || !/^application\/(json|[^;]+\+json)\s*(;|$)/i.test(type)) {
    throw badRequest('Content-Type', 'the body must be JSON: send Content-Type: application/json', 415)
  }
  const body = await readText(req, limit)
  try {
    return JSON.parse(body)
  } catch {
    throw badRequest('body', `the body is not valid JSON${body === '' ? ': it is empty' : ''}`)
  }
}

function tooLarge(limit: number) {
  return badRequest(
    'body',
    `the body has more than ${limit} bytes: store what is that large as an artifact`,
    413,
  )
}
