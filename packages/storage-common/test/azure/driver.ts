import { randomUUID } from 'node:crypto'
import {
  type BlobItem,
  type BlobPrefix,
  BlobServiceClient,
  type ContainerClient,
  RestError,
} from '@azure/storage-blob'
import { isJsonObject, omitUndefined } from '@ivcap/core/driver'
import {
  type BlobHeaders,
  type BucketDriver,
  CHANGED,
  connectionMapping,
  type ErrorContext,
  type ErrorMapping,
  type GetRange,
  type GetResponse,
  INVALID_BUCKET_NAME,
  type ListQuery,
  type ListResponse,
  MISSING,
  MiB,
  missingBucket,
  type PartUpload,
  type RequestOptions,
  statusMapping,
} from '../../src/index.js'
import type { AzureServer } from './azurite.js'

/** Metadata names are C# identifiers here, without hyphens. */
const WRITER = 'ivcap_writer'
const REMEDY = 'check the name of the container, or create it'

/** Azure's Blob Storage by its own library: how little a third protocol takes. */
export function azureDriver({ url, credential }: AzureServer, container: string): BucketDriver {
  const service = new BlobServiceClient(url, credential, {
    retryOptions: { maxTries: 1 },
    keepAliveOptions: { enable: true },
  })
  const client = service.getContainerClient(container)
  const blobOf = (key: string) => client.getBlockBlobClient(key)
  return {
    product: 'Azure Blob Storage',
    server: url,
    uri: `azure://${container}`,
    atomicCreate: 'always',
    versionName: 'ETag',
    permissions: {
      read: 'blobs/read',
      write: 'blobs/write',
      list: 'blobs/read',
      delete: 'blobs/delete',
      listUploads: 'blobs/read',
      listParts: 'blobs/read',
      abortUpload: 'blobs/write',
    },
    bucketRemedy: REMEDY,
    parts: { least: 64 << 10, most: 4000 * MiB, unit: 1, count: 50_000 },
    uploads: {
      kind: 'parts',
      // no request: blocks without a commit are dropped after a week
      begin: async (blob) => blockUpload(client, blob, await takeTurn(`${url}/${container}/${blob.key}`)),
    },
    async head(key, o) {
      const { contentLength, etag, metadata } = await blobOf(key).getProperties(abortable(o))
      return { size: contentLength, etag: unquoted(etag), writer: metadata?.[WRITER] }
    },
    get: (key, range, o) => get(client, key, range, o),
    async put({ bytes, ...blob }, o) {
      const options = { ...abortable(o), ...optionsOf(blob) }
      const { etag } = await blobOf(blob.key).upload(Buffer.from(bytes), bytes.byteLength, options)
      return { etag: unquoted(etag) }
    },
    list: (query, o) => list(client, query, o),
    delete: (key, o) => blobOf(key).delete(abortable(o)),
    bulkDelete: {
      limit: 256,
      async delete(keys, o) {
        const urls = keys.map((key) => blobOf(key).url)
        const { subResponses } = await service
          .getBlobBatchClient()
          .deleteBlobs(urls, credential, abortable(o))
        const failed = subResponses.find(({ status }) => status >= 300 && status !== 404)
        if (failed) throw new RestError(failed.statusMessage, { statusCode: failed.status })
      },
    },
    findBucket: (o) => client.getProperties(abortable(o)),
    classify,
    close: () => {},
  }
}

const abortable = ({ signal }: RequestOptions) => ({ ...(signal && { abortSignal: signal }) })
const unquoted = (etag: string | undefined) => etag?.replace(/^"(.*)"$/, '$1')
const quoted = (etag: string | undefined) => (etag === undefined ? undefined : `"${etag}"`)

const optionsOf = ({ create, writer, contentType }: BlobHeaders) => ({
  metadata: { [WRITER]: writer },
  ...(create && { conditions: { ifNoneMatch: '*' } }),
  ...(contentType !== undefined && { blobHTTPHeaders: { blobContentType: contentType } }),
})

const turns = new Map<string, Promise<void>>()

/**
 * A commit drops the uncommitted blocks of all other uploads of the blob. Those of one process take turns; an upload of another
 * process that loses its blocks begins again. Resolves with the end of the turn.
 */
async function takeTurn(blob: string): Promise<() => void> {
  const before = turns.get(blob)
  let end = () => {}
  const turn = new Promise<void>((resolve) => {
    end = resolve
  })
  turns.set(
    blob,
    (before ?? Promise.resolve()).then(() => turn),
  )
  await before
  return end
}

function blockUpload(client: ContainerClient, blob: BlobHeaders, endTurn: () => void): PartUpload {
  const upload = randomUUID()
  const blocks: string[] = []
  const target = client.getBlockBlobClient(blob.key)
  return {
    async send(number, bytes, o) {
      // all ids of a blob must have the same length
      const id = Buffer.from(`${upload}-${String(number).padStart(6, '0')}`).toString('base64')
      await target.stageBlock(id, Buffer.from(bytes), bytes.byteLength, abortable(o))
      blocks[number - 1] = id
    },
    async complete(o) {
      const { etag } = await target.commitBlockList(blocks, { ...abortable(o), ...optionsOf(blob) })
      endTurn()
      return { etag: unquoted(etag) }
    },
    abort: async () => endTurn(),
  }
}

async function get(
  client: ContainerClient,
  key: string,
  { start, end, ifMatch, version }: GetRange,
  o: RequestOptions,
): Promise<GetResponse> {
  const wanted = quoted(version ?? ifMatch)
  const response = await client.getBlobClient(key).download(start, end - start, {
    ...abortable(o),
    maxRetryRequests: 0,
    ...(wanted !== undefined && { conditions: { ifMatch: wanted } }),
  })
  const { readableStreamBody: body, etag, contentRange, contentLength } = response
  if (!isNodeBody(body)) throw new Error('the library gives no stream')
  body.on('error', () => {})
  return { body, etag: unquoted(etag), contentRange, contentLength }
}

/** The library types its streams as `NodeJS.ReadableStream`; they are `Readable`s. */
const isNodeBody = (body: unknown): body is GetResponse['body'] =>
  typeof body === 'object' && body !== null && 'destroy' in body && 'readableEnded' in body

/** Only a listing with a delimiter has prefixes. */
interface Segment {
  readonly blobItems: readonly BlobItem[]
  readonly blobPrefixes?: readonly BlobPrefix[]
}

/** There is no `startAfter`: pages before it are passed over. Its marker carries it from page to page. */
async function list(
  client: ContainerClient,
  { prefix, limit, delimiter, startAfter, token }: ListQuery,
  o: RequestOptions,
): Promise<ListResponse> {
  const { marker, after } = token === undefined ? { after: startAfter } : parseToken(token)
  const options = { prefix, ...abortable(o) }
  // pages before the first key that is wanted are as long as they may be
  const settings = {
    maxPageSize: after === undefined ? limit : 1000,
    ...(marker !== undefined && { continuationToken: marker }),
  }
  const pages = delimiter
    ? client.listBlobsByHierarchy(delimiter, options).byPage(settings)
    : client.listBlobsFlat(options).byPage(settings)
  const follows = ({ name }: { readonly name: string }) => after === undefined || name > after
  for await (const { segment, continuationToken: next } of pages) {
    const { blobItems, blobPrefixes: prefixes = [] }: Segment = segment
    return {
      items: blobItems.filter(follows).map(({ name, properties }) => ({
        key: name,
        size: properties.contentLength,
        etag: unquoted(properties.etag),
      })),
      prefixes: prefixes.filter(follows).map(({ name }) => name),
      ...(next ? { more: true, token: JSON.stringify({ marker: next, after }) } : { more: false }),
    }
  }
  return { items: [], more: false }
}

function parseToken(token: string): { readonly marker?: string; readonly after?: string } {
  const value: unknown = JSON.parse(token)
  const { marker, after } = isJsonObject(value) ? value : {}
  return omitUndefined({
    marker: typeof marker === 'string' ? marker : undefined,
    after: typeof after === 'string' ? after : undefined,
  })
}

/** https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
const ERRORS: Readonly<Record<string, ErrorMapping>> = {
  BlobNotFound: { ...MISSING, bucketExists: true },
  ContainerNotFound: missingBucket(REMEDY),
  InvalidResourceName: INVALID_BUCKET_NAME,
  BlobAlreadyExists: CHANGED,
  AuthenticationFailed: { code: 'unauthenticated', why: 'the server refuses these credentials: check them' },
}
const BLOCKS_LOST: ErrorMapping = {
  code: 'unavailable',
  why: 'another upload of this blob has dropped the blocks: upload it again',
  // the status of a lost upload: see `put`
  status: 410,
  retryable: false,
}
const DENIED: ErrorMapping = {
  code: 'permission-denied',
  why: 'the server does not allow it: check the roles of the account',
}

function classify(error: unknown, _: ErrorContext): ErrorMapping {
  if (!(error instanceof RestError) || error.statusCode === undefined) {
    const broken = { code: 'unavailable', why: 'the connection broke', retryable: true } as const
    return { ...(connectionMapping(error, 'check the network') ?? broken), cause: error }
  }
  const { statusCode: status, code } = error
  if (code === 'InvalidBlockList') return BLOCKS_LOST
  const mapping =
    ERRORS[code ?? ''] ??
    (status === 403 ? DENIED : statusMapping(status)) ??
    ({ code: 'unknown', why: 'the server refused' } as const)
  return { ...mapping, status, said: [code, status].filter(Boolean).join(' ') }
}
