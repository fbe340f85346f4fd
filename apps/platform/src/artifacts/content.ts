import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import {
  type ArtifactContent,
  type ArtifactRecord,
  type ArtifactStore,
  artifactUrn,
} from '@ivcap/core/driver'
import { type Exchange, header, sendEmpty } from '../http/exchange.js'
import { uuidOf } from '../ids.js'

/** RFC 9110 8.3. Records may hold invalid types, which must not be sent as a header. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?$/

/** How to answer a request for content: RFC 9110, sections 13.2.2 and 14.2. */
type ContentResponse =
  | { readonly status: 200 }
  | { readonly status: 206; readonly start: number; readonly end: number }
  | { readonly status: 304 | 412 | 416 }

/** Sends the content of an artifact, or a range of it, if the conditional headers of the request are met. */
export async function sendContent(artifacts: ArtifactStore, exchange: Exchange): Promise<void> {
  const { req, res, signal } = exchange
  const id = artifactUrn(uuidOf(exchange.params['id']))
  const hasRange = req.headers.range !== undefined
  const whole = hasRange ? undefined : await artifacts.read(id, { signal })
  const record = whole?.record ?? (await artifacts.stat(id, { signal }))
  const planned = evaluateConditions(req, record)
  const headers = headersOf(record)
  if (planned.status !== 200 && planned.status !== 206) {
    await whole?.body.cancel()
    const range = planned.status === 416 ? { 'Content-Range': `bytes */${record.size}` } : {}
    return sendEmpty(res, planned.status, { ...headers, ...range })
  }
  const { start, end } = planned.status === 206 ? planned : { start: 0, end: record.size ?? 0 }
  const extent = {
    'Content-Length': String(end - start),
    ...(planned.status === 206 && { 'Content-Range': `bytes ${start}-${end - 1}/${record.size}` }),
  }
  if (req.method === 'HEAD') {
    // HEAD opens the content too: it must fail if the bytes are damaged
    await whole?.body.cancel()
    return sendEmpty(res, planned.status, { ...headers, ...extent })
  }
  const content = whole ?? (await readRange(artifacts, record, planned, signal))
  res.writeHead(planned.status, { ...headers, ...extent })
  await pipeline(content.body, res, { signal })
}

/** `ifMatch` ensures that the bytes belong to the record whose headers are sent. */
function readRange(
  artifacts: ArtifactStore,
  { id, etag }: ArtifactRecord,
  planned: ContentResponse,
  signal: AbortSignal,
): Promise<ArtifactContent> {
  const range = planned.status === 206 && { range: { start: planned.start, end: planned.end } }
  return artifacts.read(id, { signal, ...range, ...(etag !== undefined && { ifMatch: etag }) })
}

function evaluateConditions(req: IncomingMessage, { etag, size = 0 }: ArtifactRecord): ContentResponse {
  const ifMatch = header(req, 'if-match')
  if (ifMatch !== undefined && !matches(ifMatch, etag)) return { status: 412 }
  const ifNoneMatch = header(req, 'if-none-match')
  if (ifNoneMatch !== undefined && matches(ifNoneMatch.replaceAll('W/', ''), etag)) return { status: 304 }
  const { range } = req.headers
  const ifRange = header(req, 'if-range')
  // RFC 9110 14.2: Range is defined for GET only
  if (req.method === 'HEAD' || range === undefined || (ifRange !== undefined && ifRange !== quoted(etag)))
    return { status: 200 }
  const requested = parseRange(range, size)
  if (requested === undefined) return { status: 200 }
  return requested.start < requested.end ? { status: 206, ...requested } : { status: 416 }
}

/**
 * Parses a Range header for content of `size` bytes. The range is empty if it cannot be satisfied. Returns undefined for an
 * invalid header or several ranges: RFC 9110 allows a server to ignore them.
 */
function parseRange(
  range: string,
  size: number,
): { readonly start: number; readonly end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(range) ?? []
  if (first === '') return last === '' ? undefined : { start: Math.max(size - Number(last), 0), end: size }
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  return last !== '' && Number(last) < Number(first) ? undefined : { start: Number(first), end }
}

/** Whether a list of entity tags, or `*`, matches this etag. */
function matches(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true
  const tags = list.match(/(W\/)?"[^"]*"|[^\s,"]+/g) ?? []
  return tags.some((tag) => tag === quoted(etag) || tag === etag)
}

function quoted(etag: string | undefined): string | undefined {
  return etag === undefined || /^(W\/)?".*"$/.test(etag) ? etag : `"${etag}"`
}

function headersOf({ etag, mimeType, name, lastModifiedAt }: ArtifactRecord): Record<string, string> {
  const tag = quoted(etag)
  return {
    'Accept-Ranges': 'bytes',
    'Content-Type':
      mimeType !== undefined && MEDIA_TYPE.test(mimeType) ? mimeType : 'application/octet-stream',
    // uploaded content must never be rendered as a page of this origin
    'Content-Disposition': `attachment${name === undefined ? '' : `; filename*=UTF-8''${fileName(name)}`}`,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-cache',
    ...(tag !== undefined && { ETag: tag }),
    ...(lastModifiedAt !== undefined && { 'Last-Modified': new Date(lastModifiedAt).toUTCString() }),
  }
}

/** RFC 8187. Only the last segment of a path is used. A name may contain a lone surrogate. */
function fileName(name: string): string {
  const last = Buffer.from(name.slice(name.lastIndexOf('/') + 1)).toString()
  return encodeURIComponent(last).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
