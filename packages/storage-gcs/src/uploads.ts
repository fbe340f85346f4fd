import type { RequestOptions, ResumableUpload, ResumableUploads, UploadStatus } from '@ivcap/storage-common'
import { drain, type GcsBucket, readObject, resourceOf, stateOf } from './bucket.js'
import { type HttpResponse, header } from './transport.js'

/** `308 Resume Incomplete` */
const INCOMPLETE = 308
/** https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload */
const CANCELLED = 499
const UNKNOWN_UPLOAD: readonly number[] = [404, 410]

export function resumableUploads(bucket: GcsBucket): ResumableUploads {
  return {
    kind: 'resumable',
    async begin(blob, o) {
      const url = bucket.uploadUrl('resumable', blob)
      const request = {
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/json; charset=UTF-8',
          'x-upload-content-type': blob.contentType ?? 'application/octet-stream',
        },
        body: [Buffer.from(JSON.stringify(resourceOf(blob)))],
      } as const
      const response = await bucket.send(request, o)
      await drain(response)
      const location = header(response, 'location')
      if (location === undefined || !URL.canParse(location, url.href)) return undefined
      return resumableUpload(bucket, onServer(bucket.server, new URL(location, url)))
    },
  }
}

/**
 * Moves the URL to the configured server: a token must not be sent to another host, and a tunnel must be used if there is one.
 */
function onServer(server: string, { pathname, search }: URL): URL {
  const base = new URL(server)
  const path = base.pathname.replace(/\/$/, '')
  return new URL(`${pathname.startsWith(`${path}/`) ? '' : path}${pathname}${search}`, base)
}

/** @param url anyone who knows it can write, so it must not appear in a message */
function resumableUpload(bucket: GcsBucket, url: URL): ResumableUpload {
  const sendRange = async (
    range: string,
    o: RequestOptions,
    more: { readonly headers?: Record<string, string>; readonly body?: readonly Uint8Array[] } = {},
  ) => {
    const headers = { 'content-range': `bytes ${range}`, ...more.headers }
    return statusOf(await bucket.send({ method: 'PUT', url, ...more, headers }, o, [INCOMPLETE]))
  }
  return {
    send(bytes, from, total, o) {
      const end = from + bytes.byteLength
      const range = bytes.byteLength === 0 ? '*' : `${from}-${end - 1}`
      const checksum = total?.checksum
      return sendRange(`${range}/${total === undefined ? '*' : end}`, o, {
        body: [bytes],
        ...(checksum !== undefined && { headers: { 'x-goog-hash': `crc32c=${checksum}` } }),
      })
    },
    status: (o) => sendRange('*/*', o),
    async cancel(o) {
      const response = await bucket.send({ method: 'DELETE', url }, o, [...UNKNOWN_UPLOAD, CANCELLED])
      await drain(response)
      return !UNKNOWN_UPLOAD.includes(response.statusCode ?? 0)
    },
  }
}

async function statusOf(response: HttpResponse): Promise<UploadStatus> {
  if (response.statusCode !== INCOMPLETE) return { blob: stateOf(await readObject(response)) }
  await drain(response)
  const [, last] = /^bytes=0-(\d+)$/.exec(header(response, 'range') ?? '') ?? []
  return { received: last === undefined ? 0 : Number(last) + 1 }
}
