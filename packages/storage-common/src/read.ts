import {
  type BlobContent,
  type BlobInfo,
  IvcapError,
  isIvcapError,
  type ReadOptions,
  resolveRange,
} from '@ivcap/core/driver'
import { checkRange, closed, fillPart, type NodeBody, opOptions, parallelParts } from '@ivcap/core/internal'
import {
  type Bucket,
  blobInfo,
  budgetOf,
  fullKey,
  head,
  request,
  type SendOptions,
  sendOnce,
} from './bucket.js'
import type { Checksum, GetRange, GetResponse } from './driver.js'
import { toIvcapError } from './errors.js'

/** A response whose body has not been read. */
interface OpenBlob {
  readonly info: BlobInfo
  /** Where the body begins and ends in the blob. */
  readonly start: number
  readonly end: number
  readonly checksum: string | undefined
  readonly body: NodeBody
}

/** See `BlobStore.get`. The first request is for one part; its response contains the size. */
export async function get(bucket: Bucket, key: string, options: ReadOptions): Promise<BlobContent> {
  const { range, ifMatch, memory } = options
  if (range !== undefined) checkRange(range)
  const o: SendOptions = { ...opOptions(options), ...(memory && { memory }) }
  const start = range?.start ?? 0
  const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, start + bucket.partSize)
  try {
    const blob = await open(bucket, key, { start, end, ifMatch }, o)
    const resolved = resolveRange(range, blob.info.size)
    return { info: blob.info, range: resolved, body: bodyOf(bucket, blob, resolved, o) }
  } catch (error) {
    if (isIvcapError(error) && error.status === 416) return await emptyContent(bucket, key, options)
    throw error
  }
}

/** Called if there are no bytes at the start of the range: the blob is empty, or the range is beyond its end. */
async function emptyContent(bucket: Bucket, key: string, options: ReadOptions): Promise<BlobContent> {
  const { info } = await head(bucket, key, opOptions(options))
  assertVersion(bucket, info, options.ifMatch)
  const resolved = resolveRange(options.range, info.size)
  if (resolved.end > 0) throw changed(bucket, key)
  const body = new ReadableStream<Uint8Array>({ start: (c) => c.close() }, { highWaterMark: 0 })
  return { info, range: resolved, body }
}

/**
 * Opens `[start, end)` of a blob, or less if the blob ends before.
 *
 * @param send `sendOnce` if the caller repeats the request
 * @throws IvcapError `precondition-failed` if the blob has another version than requested
 */
async function open(
  bucket: Bucket,
  key: string,
  range: Omit<GetRange, 'large'>,
  o: SendOptions,
  send: typeof sendOnce = request,
): Promise<OpenBlob> {
  const { driver, partSize } = bucket
  const full = fullKey(bucket, key)
  const large = range.end - range.start > partSize
  const context = { operation: 'read', key, permission: 'read' } as const
  const getting = send(bucket, context, (a) => driver.get(full, { ...range, large }, a), o)
  const response = await getting.catch((error: unknown) => {
    const isGone = range.version !== undefined && isIvcapError(error, 'not-found')
    throw isGone || isIvcapError(error, 'precondition-failed') ? changed(bucket, key) : error
  })
  try {
    const blob = openBlob(bucket, key, response, range)
    assertVersion(bucket, blob.info, range.version ?? range.ifMatch)
    return blob
  } catch (error) {
    response.body.destroy()
    throw error
  }
}

/** Reads from the response which bytes of which version it contains. */
function openBlob(
  bucket: Bucket,
  key: string,
  response: GetResponse,
  asked: Omit<GetRange, 'large'>,
): OpenBlob {
  const { body, etag, contentRange = '', contentLength: length = Number.NaN, checksum } = response
  const { server } = bucket.driver
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange) ?? []
  if (first === undefined || last === undefined || total === undefined) {
    if (asked.start === 0 && length <= asked.end) {
      // the response contains the whole blob, which is also what was requested
      return { info: blobInfo(bucket, key, { size: length, etag }), start: 0, end: length, body, checksum }
    }
    throw new IvcapError('protocol', `${server} does not answer with the range of ${key} that was asked for`)
  }
  const info = blobInfo(bucket, key, { size: Number(total), etag })
  const [start, end] = [asked.start, Math.min(asked.end, info.size)]
  if (Number(first) === start && Number(last) + 1 === end) return { info, start, end, body, checksum }
  const message = `${server} answers with bytes ${first}–${last} of ${key}, not ${asked.start}–`
  throw new IvcapError('protocol', message)
}

function assertVersion(bucket: Bucket, { key, etag }: BlobInfo, wanted: string | undefined): void {
  if (wanted !== undefined && etag !== wanted) throw changed(bucket, key, etag)
}

function changed({ uri, driver }: Bucket, key: string, version?: string): IvcapError {
  const now = version === undefined ? '' : `: its ${driver.versionName} is now ${version}`
  const message = `blob ${key} in ${uri} has changed${now}; read it again from the start`
  return new IvcapError('precondition-failed', message, { resource: key })
}

/** Returns the bytes of a range, in order: see `parallelParts`. All requests are for the version of the first. */
function bodyOf(
  bucket: Bucket,
  blob: OpenBlob,
  range: { readonly start: number; readonly end: number },
  o: SendOptions,
): ReadableStream<Uint8Array> {
  const { partSize, concurrency, driver, uri } = bucket
  const { key, etag: version } = blob.info
  const download = { received: 0 }
  const checksum = driver.checksum?.()
  const isWhole = range.start === 0 && range.end === blob.info.size
  return parallelParts({
    ...range,
    ...(o.signal && { signal: o.signal }),
    firstEnd: blob.end,
    partSize,
    concurrency,
    receive: (part, signal) =>
      fillPart(part, {
        body: part.start === blob.start ? blob.body : undefined,
        open: async (missing) =>
          (await open(bucket, key, { ...missing, version }, { ...o, signal }, sendOnce)).body,
        explain: (error) => toIvcapError(error, { operation: 'read', key }, driver, uri),
        ...budgetOf(bucket, o),
        key,
        signal,
        download,
      }),
    ...(checksum && isWhole && { inspect: verifier(bucket, blob, checksum, o) }),
    close: () => closed(blob.body),
  })
}

/** Compares the checksum. Fails before the last bytes are delivered. */
function verifier(bucket: Bucket, blob: OpenBlob, checksum: Checksum, o: SendOptions) {
  const { key, etag } = blob.info
  return async (bytes: Uint8Array, last: boolean): Promise<void> => {
    checksum.update(bytes)
    if (!last) return
    const expected = blob.checksum ?? (await checksumOf(bucket, key, etag, o))
    const actual = checksum.digest()
    if (expected === undefined || expected === actual) return
    const message = `the bytes of ${key} in ${bucket.uri} have the checksum ${actual}, not ${expected}: they changed on their way; read it again`
    throw new IvcapError('integrity', message, { resource: key })
  }
}

/** Servers may omit the checksum of the whole blob in a response with a part. Returns undefined if the version has changed. */
async function checksumOf(
  bucket: Bucket,
  key: string,
  etag: string,
  o: SendOptions,
): Promise<string | undefined> {
  const { info, checksum } = await head(bucket, key, o)
  return info.etag === etag ? checksum : undefined
}
