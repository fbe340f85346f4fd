import { IvcapError, isJsonObject, type JsonObject } from '@ivcap/core/driver'
import { type BlobHeaders, type BlobState, type RequestOptions, WRITER } from '@ivcap/storage-common'
import { refusedError } from './errors.js'
import { type HttpRequest, type HttpResponse, parseObject, readText } from './transport.js'

/** The members of a blob's resource that are requested. */
export const FIELDS = 'size,generation,crc32c,metadata'

type Query = Readonly<Record<string, string | undefined>>

/** The bucket's URLs, and the function that sends requests to them. */
export interface GcsBucket {
  readonly server: string
  /** The URL of one blob; without a key, of the list of blobs. */
  blobUrl(key: string | undefined, query: Query): URL
  /** The URL for uploading a new blob. */
  uploadUrl(uploadType: string, blob: BlobHeaders): URL
  /** Fails unless the status is 2xx or one of `statuses`. The caller reads the body. */
  send(request: HttpRequest, o: RequestOptions, statuses?: readonly number[]): Promise<HttpResponse>
}

export function bucketOf(
  server: string,
  name: string,
  send: (request: HttpRequest, o: RequestOptions) => Promise<HttpResponse>,
): GcsBucket {
  const path = `/storage/v1/b/${encodeURIComponent(name)}/o`
  const urlOf = (path: string, query: Query): URL => {
    const url = new URL(`${server}${path}`)
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, value)
    }
    return url
  }
  return {
    server,
    blobUrl: (key, query) => urlOf(key === undefined ? path : `${path}/${encodeURIComponent(key)}`, query),
    uploadUrl: (uploadType, { create }) => {
      // the server accepts only one of several concurrent creators
      const ifGenerationMatch = create ? '0' : undefined
      return urlOf(`/upload${path}`, { uploadType, ifGenerationMatch, fields: FIELDS })
    },
    async send(request, o, statuses = []) {
      const response = await send(request, o)
      const { statusCode: status = 0 } = response
      if ((status < 200 || status > 299) && !statuses.includes(status)) throw await refusedError(response)
      return response
    },
  }
}

/** The blob's resource: the properties that are stored with the bytes. */
export const resourceOf = ({ key, writer, contentType }: BlobHeaders) => ({
  name: key,
  metadata: { [WRITER]: writer },
  ...(contentType !== undefined && { contentType }),
})

export function stateOf({ size, generation, crc32c, metadata }: JsonObject): BlobState {
  const writer = isJsonObject(metadata) ? metadata[WRITER] : undefined
  return {
    size: integerIn(size),
    // an ETag would change with the metadata, too
    etag: typeof generation === 'string' ? generation : undefined,
    checksum: typeof crc32c === 'string' ? crc32c : undefined,
    writer: typeof writer === 'string' ? writer : undefined,
  }
}

/** Parses a 64-bit number, which the server sends as text. */
export const integerIn = (value: unknown): number | undefined =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined

export async function readObject(response: HttpResponse): Promise<JsonObject> {
  const object = parseObject(await readText(response))
  if (object !== undefined) return object
  const message =
    'the server answers with something that is no JSON object: check that apiEndpoint is one of Google Cloud Storage'
  throw new IvcapError('protocol', message)
}

/** Reads a body that is not needed: only its end frees the connection. */
export const drain = async (response: HttpResponse): Promise<void> => void (await readText(response))
