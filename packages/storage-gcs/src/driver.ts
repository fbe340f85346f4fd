import { randomUUID } from 'node:crypto'
import { isJsonObject } from '@ivcap/core/driver'
import type {
  BlobState,
  BucketDriver,
  GetRange,
  GetResponse,
  ListQuery,
  ListResponse,
  PutRequest,
  RequestOptions,
} from '@ivcap/storage-common'
import {
  bucketOf,
  drain,
  FIELDS,
  type GcsBucket,
  integerIn,
  readObject,
  resourceOf,
  stateOf,
} from './bucket.js'
import { connect } from './connection.js'
import { Crc32c } from './crc32c.js'
import { BUCKET_REMEDY, classify } from './errors.js'
import { type GcsOptions, PARTS } from './options.js'
import { header } from './transport.js'
import { resumableUploads } from './uploads.js'

/** @throws IvcapError `invalid-argument` */
export function gcsDriver(o: GcsOptions): BucketDriver {
  const { server, send, close } = connect(o)
  const bucket = bucketOf(server, o.bucket, send)
  const { blobUrl } = bucket
  return {
    product: 'Google Cloud Storage',
    server,
    uri: `gs://${o.bucket}`,
    atomicCreate: 'always',
    versionName: 'generation',
    permissions: {
      read: 'storage.objects.get',
      write: 'storage.objects.create',
      list: 'storage.objects.list',
      delete: 'storage.objects.delete',
      listUploads: 'storage.multipartUploads.list',
      listParts: 'storage.multipartUploads.listParts',
      abortUpload: 'storage.multipartUploads.abort',
    },
    bucketRemedy: BUCKET_REMEDY,
    parts: PARTS,
    uploads: resumableUploads(bucket),
    checksum: () => new Crc32c(),
    async head(key, a) {
      const response = await bucket.send({ method: 'GET', url: blobUrl(key, { fields: FIELDS }) }, a)
      return stateOf(await readObject(response))
    },
    get: (key, range, a) => get(bucket, key, range, a),
    put: (blob, a) => put(bucket, blob, a),
    list: (query, a) => list(bucket, query, a),
    async delete(key, a, generation) {
      await drain(await bucket.send({ method: 'DELETE', url: blobUrl(key, { generation }) }, a))
    },
    // sends a list request: an account that may read blobs may not be allowed to read buckets
    async findBucket(a) {
      const url = blobUrl(undefined, { maxResults: '1', fields: 'nextPageToken' })
      await drain(await bucket.send({ method: 'GET', url }, a))
    },
    classify,
    close,
  }
}

/** Sends one request. The server stores all or nothing, and compares the checksum first. */
async function put(bucket: GcsBucket, blob: PutRequest, o: RequestOptions): Promise<BlobState> {
  const boundary = randomUUID()
  const request = {
    method: 'POST',
    url: bucket.uploadUrl('multipart', blob),
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: related(boundary, blob),
  } as const
  return stateOf(await readObject(await bucket.send(request, o)))
}

/** RFC 2387: the resource, then the bytes. */
function related(boundary: string, { bytes, checksum, ...blob }: PutRequest): readonly Uint8Array[] {
  const { contentType = 'application/octet-stream' } = blob
  const resource = JSON.stringify({ ...resourceOf(blob), crc32c: checksum })
  const start = `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${resource}\r\n`
  const middle = `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`
  return [Buffer.from(start + middle), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]
}

/**
 * Requests the bytes as they are stored. If a client does not accept gzip, the server decompresses a gzipped blob, and does not
 * support ranges of it.
 */
async function get(
  bucket: GcsBucket,
  key: string,
  { start, end, ifMatch, version, large }: GetRange,
  o: RequestOptions,
): Promise<GetResponse> {
  const url = bucket.blobUrl(key, { alt: 'media', generation: version, ifGenerationMatch: ifMatch })
  const headers = { range: `bytes=${start}-${end - 1}`, 'accept-encoding': 'gzip' }
  const body = await bucket.send({ method: 'GET', url, headers, large }, o)
  const [, checksum] = /crc32c=([\w+/=]+)/.exec(header(body, 'x-goog-hash') ?? '') ?? []
  const length = header(body, 'content-length')
  const isStored = (header(body, 'x-goog-stored-content-length') ?? length) === length
  return {
    body,
    etag: header(body, 'x-goog-generation'),
    contentRange: header(body, 'content-range'),
    contentLength: isStored ? integerIn(length) : undefined,
    checksum,
  }
}

/** `startOffset` includes the key after which the list starts, so one more entry is requested. */
async function list(
  bucket: GcsBucket,
  { prefix, limit, delimiter, startAfter, token }: ListQuery,
  o: RequestOptions,
): Promise<ListResponse> {
  const query = {
    prefix,
    delimiter,
    startOffset: startAfter,
    maxResults: `${Math.min(startAfter === undefined ? limit : limit + 1, 1000)}`,
    pageToken: token,
    fields: 'items(name,size,generation),prefixes,nextPageToken',
  }
  const response = await bucket.send({ method: 'GET', url: bucket.blobUrl(undefined, query) }, o)
  const { items, prefixes, nextPageToken: next } = await readObject(response)
  const all = (Array.isArray(items) ? items.filter(isJsonObject) : []).map((item) => ({
    key: String(item['name']),
    ...stateOf(item),
  }))
  return {
    items: all.filter(({ key }) => key !== startAfter),
    prefixes: Array.isArray(prefixes) ? prefixes.map(String) : [],
    ...(typeof next === 'string' && next !== '' ? { more: true, token: next } : { more: false }),
  }
}
