import type { IncomingMessage, ServerResponse } from 'node:http'
import { header } from './exchange.js'

/** Web origins whose pages may call this server: all (`*`), or those listed. */
export type Origins = '*' | readonly string[]

/** Whether a page of this origin may call. */
export type OriginRule = (origin: string) => boolean

const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/**
 * Where a token is asked for, any page may call: it needs the token, which browsers don't add by themselves. A server
 * that is open to all takes calls from pages of this machine alone, or any web page that its owner visits could read it.
 */
export function originRule(origins: Origins | undefined, guarded: boolean): OriginRule {
  if (origins === '*' || (origins === undefined && guarded)) return () => true
  if (origins === undefined) return (origin) => LOOPBACK.test(origin)
  return (origin) => origins.includes(origin)
}

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

export function setCors(req: IncomingMessage, res: ServerResponse, allowed: OriginRule): void {
  const origin = header(req, 'origin')
  if (origin === undefined) return
  res.setHeader('Vary', 'Origin')
  if (!allowed(origin)) return
  res.setHeader('Access-Control-Allow-Origin', origin)
  res.setHeader('Access-Control-Expose-Headers', EXPOSED)
}

/** Answers OPTIONS: what a browser asks before a call from another origin, and what TUS clients ask for. */
export function sendOptions(req: IncomingMessage, res: ServerResponse): void {
  const asked = header(req, 'access-control-request-headers')
  if (asked !== undefined) res.setHeader('Access-Control-Allow-Headers', asked)
  res.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'Access-Control-Max-Age': '86400',
    'Tus-Resumable': '1.0.0',
    'Tus-Version': '1.0.0',
    'Tus-Extension': 'creation-defer-length',
  })
  res.end()
}
