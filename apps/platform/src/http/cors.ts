import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access } from './access.js'
import { header } from './exchange.js'

const EXPOSED = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'IVCAP-Job-Id',
  'IVCAP-Job-URL',
  'Location',
  'Retry-After',
  'Tus-Resumable',
  'Upload-Defer-Length',
  'Upload-Length',
  'Upload-Offset',
  'WWW-Authenticate',
].join(', ')

export function setCors(req: IncomingMessage, res: ServerResponse, access: Access): void {
  const origin = header(req, 'origin')
  if (origin === undefined) return
  res.setHeader('Vary', 'Origin')
  if (!access.allows(origin)) return
  res.setHeader('Access-Control-Allow-Origin', origin)
  res.setHeader('Access-Control-Expose-Headers', EXPOSED)
}

/** Answers OPTIONS: CORS preflight requests of browsers, and TUS discovery. */
export function sendOptions(req: IncomingMessage, res: ServerResponse): void {
  const requested = header(req, 'access-control-request-headers')
  if (requested !== undefined) res.setHeader('Access-Control-Allow-Headers', requested)
  res.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'Access-Control-Max-Age': '86400',
    'Tus-Resumable': '1.0.0',
    'Tus-Version': '1.0.0',
    'Tus-Extension': 'creation-defer-length',
  })
  res.end()
}
