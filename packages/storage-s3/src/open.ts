import { Readable } from 'node:stream'
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { type BlobInfo, IvcapError } from '@ivcap/core/driver'
import { ask, type askOnce } from './ask.js'
import { infoOf } from './info.js'
import { bySocket } from './large.js'
import { fullKey, type Place, type Reading } from './place.js'

/** An answer whose body nobody has read yet. */
export interface Opened {
  readonly info: BlobInfo
  /** Where its body begins and ends in the blob. */
  readonly start: number
  readonly end: number
  readonly body: Readable
}

/**
 * Opens `[start, end)` of a blob, less where it ends before. Which version it is, the ETag of the same answer says: servers
 * differ in how they take conditions, not in this.
 *
 * @param send `askOnce` where the caller repeats it
 * @throws IvcapError `precondition-failed` when it isn't the version of `etag`
 */
export async function open(
  place: Place,
  key: string,
  { start, end, etag }: { readonly start: number; readonly end: number; readonly etag?: string | undefined },
  o: Reading,
  send: typeof askOnce = ask,
): Promise<Opened> {
  const request = { Bucket: place.bucket, Key: fullKey(place, key), Range: `bytes=${start}-${end - 1}` }
  // parts keep the client's connections
  const isLarge = end - start > place.partSize && !place.given
  const command = () => new GetObjectCommand(request)
  const told = await send(
    place,
    { doing: 'read', key, action: 's3:GetObject' },
    (s3, a) => s3.send(isLarge ? bySocket(place, command(), o) : command(), a),
    o,
  )
  const { Body: body } = told
  if (!(body instanceof Readable))
    throw new IvcapError('unsupported', 'the S3 client must give bodies as Node streams')
  // a body that breaks is heard of by who reads it, then or later
  body.on('error', () => {})
  try {
    const opened = { ...whatIs(place, key, told, { start, end }), body }
    expectEtag(place, opened.info, etag)
    return opened
  } catch (error) {
    body.destroy()
    throw error
  }
}

/** What the answer says it is. */
function whatIs(
  place: Place,
  key: string,
  told: GetObjectCommandOutput,
  asked: { readonly start: number; readonly end: number },
): Omit<Opened, 'body'> {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(told.ContentRange ?? '') ?? []
  if (first === undefined || last === undefined || total === undefined) {
    const length = told.ContentLength ?? Number.NaN
    // the whole of it, which is also what was asked for
    if (asked.start === 0 && length <= asked.end) {
      return { info: infoOf(place, key, length, told.ETag), start: 0, end: length }
    }
    throw new IvcapError(
      'protocol',
      `${place.server} does not answer with the range of ${key} that was asked for`,
    )
  }
  const info = infoOf(place, key, Number(total), told.ETag)
  const wanted = { start: asked.start, end: Math.min(asked.end, info.size) }
  if (Number(first) === wanted.start && Number(last) + 1 === wanted.end) return { info, ...wanted }
  throw new IvcapError(
    'protocol',
    `${place.server} answers with bytes ${first}–${last} of ${key}, not ${asked.start}–`,
  )
}

export function expectEtag(place: Place, info: BlobInfo, etag: string | undefined): void {
  if (etag !== undefined && info.etag !== etag) throw changed(place, info)
}

export function changed(place: Place, { key, etag }: BlobInfo): IvcapError {
  const message = `blob ${key} in ${place.uri} has changed: its ETag is ${etag} now; read it again from the start`
  return new IvcapError('precondition-failed', message, { resource: key })
}
