import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {
  type BlobHeaders,
  type PartUpload,
  type PartUploads,
  type RequestOptions,
  type UnfinishedUploads,
  WRITER,
} from '@ivcap/storage-common'
import { withUnsignedPayload } from './middleware.js'

export type Send = <T>(
  send: (client: S3Client, o: { abortSignal?: AbortSignal }) => Promise<T>,
  o: RequestOptions,
) => Promise<T>

/** Removes quotes. Most servers quote ETags; Ceph does not in its response to a repeated CompleteMultipartUpload. */
export const unquoted = (etag: string | undefined): string | undefined => etag?.replace(/^"(.*)"$/, '$1')

export const headersOf = (bucket: string, { key, writer, contentType }: BlobHeaders) => ({
  Bucket: bucket,
  Key: key,
  Metadata: { [WRITER]: writer },
  ...(contentType !== undefined && { ContentType: contentType }),
})

/** Multipart uploads. @param isConditional whether the server enforces the condition of a creation when an upload completes */
export function partUploads(send: Send, bucket: string, isConditional: boolean): PartUploads {
  return {
    kind: 'parts',
    async begin({ create, ...blob }, o) {
      const request = headersOf(bucket, { create, ...blob })
      const { UploadId } = await send((s3, x) => s3.send(new CreateMultipartUploadCommand(request), x), o)
      const at = { Bucket: bucket, Key: blob.key, UploadId }
      return UploadId === undefined
        ? undefined
        : partUpload(send, { ...at, UploadId }, isConditional && create)
    },
    unfinished: unfinishedUploads(send, bucket),
  }
}

interface UploadKey {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string
}

function partUpload(send: Send, at: UploadKey, ifNoneMatch: boolean): PartUpload {
  const parts: CompletedPart[] = []
  return {
    id: at.UploadId,
    async send(number, bytes, o) {
      const request = { ...at, PartNumber: number, Body: bytes, ContentLength: bytes.byteLength }
      const command = withUnsignedPayload(new UploadPartCommand(request), bytes)
      const { $metadata, ServerSideEncryption, ...part } = await send((s3, x) => s3.send(command, x), o)
      parts[number - 1] = { ...part, PartNumber: number }
    },
    async complete(o) {
      const request = {
        ...at,
        MultipartUpload: { Parts: parts },
        ...(ifNoneMatch && { IfNoneMatch: '*' }),
      }
      // Ceph returns no ETag here
      const { ETag } = await send((s3, x) => s3.send(new CompleteMultipartUploadCommand(request), x), o)
      return { etag: unquoted(ETag) }
    },
    abort: (o) => send((s3, x) => s3.send(new AbortMultipartUploadCommand(at), x), o),
  }
}

function unfinishedUploads(send: Send, bucket: string): UnfinishedUploads {
  return {
    async list({ prefix, token }, o) {
      const request = { Bucket: bucket, Prefix: prefix, ...markersOf(token) }
      const page = await send((s3, x) => s3.send(new ListMultipartUploadsCommand(request), x), o)
      const items = (page.Uploads ?? []).flatMap(({ Key: key, UploadId: id, Initiated: startedAt }) =>
        key === undefined || id === undefined ? [] : [{ key, id, startedAt }],
      )
      if (!page.IsTruncated) return { items }
      return { items, token: `${page.NextKeyMarker ?? ''}\n${page.NextUploadIdMarker ?? ''}` }
    },
    async hasParts({ key, id }, o) {
      const request = { Bucket: bucket, Key: key, UploadId: id, MaxParts: 1 }
      const { Parts = [] } = await send((s3, x) => s3.send(new ListPartsCommand(request), x), o)
      return Parts.length > 0
    },
    abort({ key, id }, o) {
      const request = { Bucket: bucket, Key: key, UploadId: id }
      return send((s3, x) => s3.send(new AbortMultipartUploadCommand(request), x), o)
    },
  }
}

function markersOf(token: string | undefined) {
  const [key, id] = token?.split('\n') ?? []
  return { ...(key && { KeyMarker: key }), ...(id && { UploadIdMarker: id }) }
}
