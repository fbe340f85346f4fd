import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import {
  type ArtifactContent,
  type ArtifactRecord,
  type ArtifactStore,
  artifactUrn,
} from '@ivcap/core/driver'
import { type Exchange, header } from '../http/exchange.js'
import { sendEmpty } from '../http/reply.js'
import { uuidOf } from '../ids.js'

/** RFC 9110 8.3: a type that may stand in a header; what a record holds may be anything. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?$/

/** What a request asks for, given the record: RFC 9110, sections 13.2.2 and 14.2. */
type Verdict =
  | { readonly status: 200 }
  | { readonly status: 206; readonly start: number; readonly end: number }
  | { readonly status: 304 | 412 | 416 }

/** The bytes of an artifact, whole or a range of them, if the conditions of the request hold. */
export async function sendContent(artifacts: ArtifactStore, exchange: Exchange): Promise<void> {
  const { req, res, signal } = exchange
  const id = artifactUrn(uuidOf(exchange.params['id']))
  const looksFirst = req.headers.range !== undefined
  const whole = looksFirst ? undefined : await artifacts.read(id, { signal })
  const record = whole?.record ?? (await artifacts.stat(id, { signal }))
  const verdict = judge(req, record)
  const headers = headersOf(record)
  if (verdict.status !== 200 && verdict.status !== 206) {
    await whole?.body.cancel()
    const range = verdict.status === 416 ? { 'Content-Range': `bytes */${record.size}` } : {}
    return sendEmpty(res, verdict.status, { ...headers, ...range })
  }
  const { start, end } = verdict.status === 206 ? verdict : { start: 0, end: record.size ?? 0 }
  const extent = {
    'Content-Length': String(end - start),
    ...(verdict.status === 206 && { 'Content-Range': `bytes ${start}-${end - 1}/${record.size}` }),
  }
  if (req.method === 'HEAD') {
    // opened all the same: a record whose bytes are damaged is no promise
    await whole?.body.cancel()
    return sendEmpty(res, verdict.status, { ...headers, ...extent })
  }
  const content = whole ?? (await readRange(artifacts, record, verdict, signal))
  res.writeHead(verdict.status, { ...headers, ...extent })
  await pipeline(content.body, res, { signal })
}

/** Pinned by the etag: the bytes belong to the record that the headers were made from. */
function readRange(
  artifacts: ArtifactStore,
  { id, etag }: ArtifactRecord,
  verdict: Verdict,
  signal: AbortSignal,
): Promise<ArtifactContent> {
  const range = verdict.status === 206 && { range: { start: verdict.start, end: verdict.end } }
  return artifacts.read(id, { signal, ...range, ...(etag !== undefined && { ifMatch: etag }) })
}

function judge(req: IncomingMessage, { etag, size = 0 }: ArtifactRecord): Verdict {
  const ifMatch = header(req, 'if-match')
  if (ifMatch !== undefined && !matches(ifMatch, etag)) return { status: 412 }
  const ifNoneMatch = header(req, 'if-none-match')
  if (ifNoneMatch !== undefined && matches(ifNoneMatch.replaceAll('W/', ''), etag)) return { status: 304 }
  const { range } = req.headers
  const ifRange = header(req, 'if-range')
  // RFC 9110 14.2: a Range counts for GET alone
  if (req.method === 'HEAD' || range === undefined || (ifRange !== undefined && ifRange !== quoted(etag)))
    return { status: 200 }
  const part = partOf(range, size)
  if (part === undefined) return { status: 200 }
  return part.start < part.end ? { status: 206, ...part } : { status: 416 }
}

/**
 * The part of `size` bytes that a Range header asks for, empty where there are no such bytes. Undefined for a header that
 * can't be read or asks for several parts: it may be passed over.
 */
function partOf(range: string, size: number): { readonly start: number; readonly end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(range) ?? []
  if (first === '') return last === '' ? undefined : { start: Math.max(size - Number(last), 0), end: size }
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  return last !== '' && Number(last) < Number(first) ? undefined : { start: Number(first), end }
}

/** Whether a list of entity tags, or `*`, has this one. */
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
    // what somebody uploaded is never a page of this server
    'Content-Disposition': `attachment${name === undefined ? '' : `; filename*=UTF-8''${fileName(name)}`}`,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-cache',
    ...(tag !== undefined && { ETag: tag }),
    ...(lastModifiedAt !== undefined && { 'Last-Modified': new Date(lastModifiedAt).toUTCString() }),
  }
}

/** RFC 8187. A name may be a path of which its end counts, and may hold half a surrogate pair. */
function fileName(name: string): string {
  const last = Buffer.from(name.slice(name.lastIndexOf('/') + 1)).toString()
  return encodeURIComponent(last).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
