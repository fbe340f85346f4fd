import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { abortable, IvcapError, omitUndefined } from '@ivcap/core/driver'
import {
  type BlobState,
  type BucketDriver,
  type GetRange,
  type GetResponse,
  type ListQuery,
  type ListResponse,
  type PutRequest,
  type RequestOptions,
  WRITER,
} from '@ivcap/storage-common'
import { connect, type S3Connection } from './connection.js'
import { BUCKET_REMEDY, classify } from './errors.js'
import { ANSWERED, LARGE_BODY, withLargeRead, withUnsignedPayload } from './middleware.js'
import { PARTS, type S3Options } from './options.js'
import type { SmallResponse } from './small-requests.js'
import { headersOf, partUploads, type Send, unquoted } from './uploads.js'

/** @throws IvcapError `invalid-argument` */
export function s3Driver(o: S3Options): BucketDriver {
  const connection = connect(o)
  const { client, aws, server, connections } = connection
  const at = { Bucket: o.bucket }
  // the source of credentials may ignore the signal, so an abort ends the wait for them
  const send: Send = (run, { signal }) =>
    abortable(run(client, { ...(signal && { abortSignal: signal }) }), signal)
  return {
    product: 'S3',
    server,
    uri: `s3://${o.bucket}`,
    // some servers, e.g. Ceph, ignore the condition when a multipart upload completes
    atomicCreate: aws ? 'always' : 'single-put',
    versionName: 'ETag',
    permissions: {
      read: 's3:GetObject',
      write: 's3:PutObject',
      list: 's3:ListBucket',
      delete: 's3:DeleteObject',
      listUploads: 's3:ListBucketMultipartUploads',
      listParts: 's3:ListMultipartUploadParts',
      abortUpload: 's3:AbortMultipartUpload',
    },
    bucketRemedy: BUCKET_REMEDY,
    parts: PARTS,
    uploads: partUploads(send, o.bucket, aws),
    mayRepeat: connections === undefined,
    async head(Key, a) {
      const found = await send((s3, x) => s3.send(new HeadObjectCommand({ ...at, Key }), x), a)
      return { size: found.ContentLength, etag: unquoted(found.ETag), writer: found.Metadata?.[WRITER] }
    },
    get: (key, range, a) => get(connection, send, { ...at, Key: key }, range, a),
    put: (blob, a) => put(connection, send, o.bucket, blob, a),
    list: (query, a) => list(server, send, o.bucket, query, a),
    delete: (Key, a) => send((s3, x) => s3.send(new DeleteObjectCommand({ ...at, Key }), x), a),
    bulkDelete: {
      limit: 1000,
      async delete(keys, a) {
        const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true }
        const { Errors = [] } = await send(
          (s3, x) => s3.send(new DeleteObjectsCommand({ ...at, Delete }), x),
          a,
        )
        const [first] = Errors
        if (first === undefined) return
        const message = `${first.Key}: ${first.Message ?? 'not deleted'}`
        throw Object.assign(new Error(message), { name: first.Code ?? 'InternalError' })
      },
    },
    findBucket: (a) => send((s3, x) => s3.send(new HeadBucketCommand(at), x), a),
    classify,
    close: connection.close,
  }
}

async function put(
  { small }: S3Connection,
  send: Send,
  bucket: string,
  { bytes, ...blob }: PutRequest,
  o: RequestOptions,
): Promise<BlobState> {
  const command = new PutObjectCommand({
    ...headersOf(bucket, blob),
    Body: bytes,
    ContentLength: bytes.byteLength,
    ...(blob.create && { IfNoneMatch: '*' }),
  })
  if (small === undefined || bytes.byteLength >= LARGE_BODY) {
    withUnsignedPayload(command, bytes)
  } else {
    const headers = {
      [`x-amz-meta-${WRITER}`]: blob.writer,
      ...(blob.contentType !== undefined && { 'content-type': blob.contentType }),
      ...(blob.create && { 'if-none-match': '*' }),
    }
    const request = { method: 'PUT', key: blob.key, headers, body: bytes } as const
    const response = await abortable(small.send(request, o), o.signal)
    if (response?.statusCode === 200) {
      response.body.resume()
      return { etag: unquoted(response.headers['etag']) }
    }
    if (response) command.middlewareStack.add(() => async () => ({ response }), ANSWERED)
  }
  return { etag: unquoted((await send((s3, x) => s3.send(command, x), o)).ETag) }
}

/** The ETag of the response identifies the version: servers differ in how they treat conditions, but not in this. */
async function get(
  { connections, small }: S3Connection,
  send: Send,
  at: { readonly Bucket: string; readonly Key: string },
  { start, end, large }: GetRange,
  o: RequestOptions,
): Promise<GetResponse> {
  const range = `bytes=${start}-${end - 1}`
  const command = new GetObjectCommand({ ...at, Range: range })
  if (large && connections !== undefined) withLargeRead(command, connections, o)
  if (!large && small !== undefined) {
    const response = await abortable(
      small.send({ method: 'GET', key: at.Key, headers: { range } }, o),
      o.signal,
    )
    if (response?.statusCode === 206) return contentOf(response)
    if (response) command.middlewareStack.add(() => async () => ({ response }), ANSWERED)
  }
  const { Body: body, ETag, ContentRange, ContentLength } = await send((s3, x) => s3.send(command, x), o)
  if (!(body instanceof Readable))
    throw new IvcapError('unsupported', 'the S3 client must give bodies as Node streams')
  // the reader of the body gets its errors, even if it starts later
  body.on('error', () => {})
  return { body, etag: unquoted(ETag), contentRange: ContentRange, contentLength: ContentLength }
}

function contentOf({ headers, body }: SmallResponse): GetResponse {
  body.on('error', () => {})
  return { body, etag: unquoted(headers['etag']), contentRange: headers['content-range'] }
}

async function list(
  server: string,
  send: Send,
  bucket: string,
  { prefix, limit, delimiter, startAfter, token }: ListQuery,
  o: RequestOptions,
): Promise<ListResponse> {
  const query = {
    Bucket: bucket,
    Prefix: prefix,
    MaxKeys: limit,
    Delimiter: delimiter,
    StartAfter: startAfter,
    ContinuationToken: token,
  }
  const page = await send((s3, x) => s3.send(new ListObjectsV2Command(query), x), o)
  // the SDK parses any response other than XML of a list as a list without members
  if (page.IsTruncated === undefined)
    throw new IvcapError('protocol', `${server} does not answer as S3 does (${bucket}): check the endpoint`)
  return omitUndefined({
    items: (page.Contents ?? []).map(({ Key: key = '', Size, ETag }) => ({
      key,
      size: Size,
      etag: unquoted(ETag),
    })),
    prefixes: page.CommonPrefixes?.map(({ Prefix = '' }) => Prefix),
    more: page.IsTruncated,
    token: page.NextContinuationToken,
  })
}
